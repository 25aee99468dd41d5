// SPDX-License-Identifier: MIT
#include <leat/http/core/accept_encoding.hpp>

#include <doctest/doctest.h>

namespace {

int wish(std::string_view field, std::string_view coding = "gzip") {
    return leat::http::detail::wish_for({{"Accept-Encoding", field}}, coding);
}

}  // namespace

TEST_CASE("a client says how much it wants a coding") {
    CHECK(wish("gzip") == 1000);
    CHECK(wish("br, GZIP ; q=0.5") == 500);
    CHECK(wish("gzip;Q=0.123, br") == 123);
    CHECK(wish("gzip;q=1.000") == 1000);
    CHECK(wish("gzip;q=0") == 0);
    CHECK(wish("gzip;q=0.0, *") == 0);
    CHECK(wish("*") == 1000);
    CHECK(wish("*;q=0.2, gzip;q=0.7") == 700);
    CHECK(wish("br, *;q=0.2") == 200);
    CHECK(wish("br") == 0);
    CHECK(wish("") == 0);
    CHECK(leat::http::detail::wish_for({}, "gzip") == 0);
}

TEST_CASE("a wish that is malformed does not count") {
    for (const char* field : {"gzip;q=2", "gzip;q=1.5", "gzip;q=", "gzip;q=0.1234", "gzip;q=.5", "gzip;q=-1",
                              "gzip;x=1", "gzip;", "xgzip", "gzip x", "gzip;q=0.a"}) {
        CHECK_MESSAGE(wish(field) == 0, field);
    }
}

TEST_CASE("the codings that a client takes come in the order of its wishes, and then of those offered") {
    using leat::http::detail::three_codings;
    const auto wanted = [](std::string_view field, const three_codings& offered = {"br", "zstd", "gzip"}) {
        return leat::http::detail::wanted_codings({{"Accept-Encoding", field}}, offered);
    };
    CHECK(wanted("gzip, br, zstd") == three_codings{"br", "zstd", "gzip"});
    CHECK(wanted("br;q=0.1, zstd;q=0.2, gzip;q=0.3") == three_codings{"gzip", "zstd", "br"});
    CHECK(wanted("br;q=0.2, gzip;q=0.2, zstd;q=0.3") == three_codings{"zstd", "br", "gzip"});
    CHECK(wanted("gzip, br;q=0") == three_codings{"gzip", "", ""});
    CHECK(wanted("*", {"gzip"}) == three_codings{"gzip", "", ""});
    CHECK(wanted(";q=1", {"gzip"}) == three_codings{});
    CHECK(wanted("") == three_codings{});
}
