// SPDX-License-Identifier: MIT
#include <fetch/engine/failure.hpp>
#include <fetch/files/file_error.hpp>

#include <leat/dns/error.hpp>
#include <leat/http/error.hpp>
#include <leat/http/request_error.hpp>
#include <leat/tls/error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <system_error>

namespace {

fetch::failure_kind kind_for(std::error_code code) {
    return fetch::failure_of(leat::http::request_error(code, "http://h/: it failed")).kind;
}

}  // namespace

TEST_CASE("a failure has the kind that its code says") {
    using fetch::failure_kind;
    CHECK(kind_for(leat::http::url_error::bad_port) == failure_kind::bad_input);
    CHECK(kind_for(leat::dns_errc::no_such_host) == failure_kind::name);
    CHECK(kind_for(std::make_error_code(std::errc::connection_refused)) == failure_kind::connect);
    CHECK(kind_for(std::make_error_code(std::errc::connection_reset)) == failure_kind::interrupted);
    CHECK(kind_for(std::make_error_code(std::errc::timed_out)) == failure_kind::stalled);
    CHECK(kind_for(leat::http::error::truncated_body) == failure_kind::interrupted);
    CHECK(kind_for(leat::http::error::bad_chunk) == failure_kind::protocol);
    CHECK(kind_for(leat::http::error::too_many_redirects) == failure_kind::redirect);
    CHECK(kind_for(leat::tls::verify_error_code(10)) == failure_kind::tls);
    CHECK(fetch::failure_of(std::runtime_error("x")).kind == failure_kind::other);
    CHECK(fetch::failure_of(std::runtime_error("x")).text == "x");
}

TEST_CASE("what cannot help is not tried again") {
    using fetch::failure_kind;
    CHECK(fetch::failure{.kind = failure_kind::connect}.may_pass());
    CHECK(fetch::failure{.kind = failure_kind::busy}.may_pass());
    const auto failed_look_up = [](leat::dns_errc code) {
        return fetch::failure_of(std::system_error(code, "connect to h:80"));
    };
    CHECK(failed_look_up(leat::dns_errc::temporary_failure).may_pass());
    CHECK_FALSE(failed_look_up(leat::dns_errc::no_such_host).may_pass());
    CHECK_FALSE(fetch::failure{.kind = failure_kind::refused}.may_pass());
    CHECK_FALSE(fetch::failure{.kind = failure_kind::tls}.may_pass());
    CHECK_FALSE(fetch::failure{.kind = failure_kind::file}.may_pass());
}

TEST_CASE("what cannot be written is no failure of the network, and is not tried again") {
    const std::system_error full(std::make_error_code(std::errc::no_space_on_device), "write to out/x.part");
    const fetch::failure failed = fetch::failure_of(fetch::file_error(full));
    CHECK(failed.kind == fetch::failure_kind::file);
    CHECK(failed.text == "write to out/x.part: No space left on device");
    CHECK_FALSE(failed.may_pass());
}
