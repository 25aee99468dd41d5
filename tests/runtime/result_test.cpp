// SPDX-License-Identifier: MIT
#include <leat/result.hpp>

#include <doctest/doctest.h>

#include <memory>

TEST_CASE("a result holds a value or the error that explains its absence") {
    leat::result<int> good = 7;
    CHECK(good.ok());
    CHECK(*good == 7);
    CHECK_FALSE(good.error());

    leat::result<int> bad = leat::errno_code(ECONNREFUSED);
    CHECK_FALSE(bad.ok());
    CHECK(bad.error() == std::errc::connection_refused);
}

TEST_CASE("asking an error for its value throws it with the context given") {
    leat::result<int> bad = leat::errno_code(ETIMEDOUT);
    std::error_code seen;
    try {
        bad.value("connect");
    } catch (const std::system_error& error) {
        seen = error.code();
        CHECK(std::string_view(error.what()).starts_with("connect"));
    }
    CHECK(seen == std::errc::timed_out);
}

TEST_CASE("a move-only value leaves a result once") {
    leat::result<std::unique_ptr<int>> boxed = std::make_unique<int>(3);
    std::unique_ptr<int> taken = std::move(boxed).value();
    CHECK(*taken == 3);
}

TEST_CASE("a result without a value is ok or an error") {
    leat::result<void> good;
    CHECK(good.ok());
    leat::result<void> bad = leat::errno_code(EPIPE);
    CHECK_FALSE(bad);
    CHECK_THROWS_AS(bad.value("send"), std::system_error);
}
