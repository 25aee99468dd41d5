// SPDX-License-Identifier: MIT
#include <leat/http/retry_after.hpp>

#include <leat/testing/doctest.hpp>

#include <chrono>
#include <string>

using leat::http::response;
using leat::http::retry_after;

namespace {

response asking_for(const std::string& value) {
    response made;
    made.status = 503;
    made.headers.add("Retry-After", value);
    return made;
}

}  // namespace

TEST_CASE("what Retry-After asks for is seconds, or the time until a date") {
    using namespace std::chrono;
    const system_clock::time_point now = sys_days(1994y / November / 6) + 8h + 49min;
    CHECK(retry_after(asking_for("0"), now) == 0s);
    CHECK(retry_after(asking_for("120"), now) == 120s);
    CHECK(retry_after(asking_for("Sun, 06 Nov 1994 08:49:37 GMT"), now) == 37s);
    CHECK(retry_after(asking_for("Sun, 06 Nov 1994 08:40:00 GMT"), now) == 0s);
    CHECK(retry_after(asking_for("18446744073709551615"), now).value() > hours(24 * 365));
    for (const char* text : {"", "-1", "1.5", "soon"}) {
        CHECK_FALSE(retry_after(asking_for(text), now).has_value());
    }
    CHECK_FALSE(retry_after(response(), now).has_value());
}

LEAT_TEST("a date in Retry-After is reckoned from now", on(leat::testing::simulated)) {
    using namespace std::chrono;
    CHECK(retry_after(asking_for("Sun, 06 Nov 1994 08:49:37 GMT")) == 0s);
    const auto far = retry_after(asking_for("Sun, 06 Nov 2094 08:49:37 GMT"));
    REQUIRE(far.has_value());
    CHECK(*far > hours(24 * 365));
    co_return;
}
