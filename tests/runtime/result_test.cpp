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

TEST_CASE("the text of an error is what the operation has told, else the message of its code") {
    const auto told = [](auto kind) {
        try {
            throw std::system_error(leat::errno_code(ECONNREFUSED), "connect to 10.0.0.1:80");
        } catch (const std::system_error& error) {
            return leat::result<decltype(kind)>(error.code(), std::current_exception());
        }
    };
    const leat::result<int> refused = told(7);
    CHECK(refused.error() == std::errc::connection_refused);
    CHECK(refused.error_text() == "connect to 10.0.0.1:80: Connection refused");
    CHECK(leat::result<int>(leat::errno_code(ECONNREFUSED)).error_text() == "Connection refused");
    CHECK(leat::result<void>(leat::errno_code(EPIPE)).error_text() == "Broken pipe");
    CHECK(leat::result<int>(7).error_text() == "");
    CHECK(leat::result<void>().error_text() == "");
}

TEST_CASE("asking for the value throws the exception that the operation has thrown, of its own type") {
    struct named_error : std::system_error {
        using system_error::system_error;
    };
    leat::result<int> failed = 7;
    try {
        throw named_error(leat::errno_code(ECONNREFUSED), "connect to 10.0.0.1:80");
    } catch (const std::system_error& error) {
        failed = {error.code(), std::current_exception()};
    }
    const leat::result<int> copy = failed;
    CHECK_THROWS_WITH_AS((void)failed.value("ignored"), "connect to 10.0.0.1:80: Connection refused",
                         named_error);
    CHECK_THROWS_WITH_AS((void)copy.value(), "connect to 10.0.0.1:80: Connection refused", named_error);
}
