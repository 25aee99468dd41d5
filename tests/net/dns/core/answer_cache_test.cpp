// SPDX-License-Identifier: MIT
#include <leat/dns/core/answer_cache.hpp>
#include <leat/dns/error.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using leat::duration;
using leat::time_point;
using leat::detail::answer_cache;
using leat::detail::name_found;
using leat::detail::name_question;

namespace {

const time_point start{1h};

name_question about(std::string name) {
    return {std::move(name), leat::address_families::any, {}};
}

name_found found_at(const char* number) {
    return {{}, {leat::address::parse(number)}};
}

}  // namespace

TEST_CASE("an answer is known until it no longer holds, to the moment") {
    answer_cache known;
    known.keep(about("a.test"), found_at("192.0.2.1"), start, 60s);
    const name_found* const last = known.find(about("a.test"), start + 60s - 1ns, duration::max());
    REQUIRE(last != nullptr);
    CHECK(last->addresses == found_at("192.0.2.1").addresses);
    CHECK(known.find(about("a.test"), start + 60s, duration::max()) == nullptr);
    CHECK(known.find(about("a.test"), start, duration::max()) == nullptr);  // it is gone
}

TEST_CASE("an answer that is too old for one who asks stays for others") {
    answer_cache known;
    known.keep(about("a.test"), found_at("192.0.2.1"), start, 60s);
    CHECK(known.find(about("a.test"), start + 10s, 10s) == nullptr);
    CHECK(known.find(about("a.test"), start + 10s, 11s) != nullptr);
    CHECK(known.find(about("a.test"), start, 0s) == nullptr);
}

TEST_CASE("a newer answer takes the place of the older one, and errors are kept as addresses are") {
    answer_cache known;
    known.keep(about("a.test"), found_at("192.0.2.1"), start, 60s);
    known.keep(about("a.test"), {leat::dns_errc::no_such_host, {}}, start + 1s, 60s);
    const name_found* const now = known.find(about("a.test"), start + 60s, duration::max());
    REQUIRE(now != nullptr);
    CHECK(now->error == leat::dns_errc::no_such_host);
    CHECK(now->addresses.empty());
}

TEST_CASE("an answer that does not hold is not kept, and takes nothing from an older one") {
    answer_cache known;
    known.keep(about("a.test"), found_at("192.0.2.1"), start, 60s);
    known.keep(about("a.test"), found_at("192.0.2.2"), start, 0s);
    known.keep(about("b.test"), found_at("192.0.2.2"), start, 0s);
    CHECK(known.find(about("a.test"), start, duration::max()) != nullptr);
    CHECK(known.find(about("b.test"), start, duration::max()) == nullptr);
}

TEST_CASE("the oldest answer makes room for a new one") {
    answer_cache known;
    const auto nth = [](std::size_t i) { return about("n" + std::to_string(i) + ".test"); };
    for (std::size_t i = 0; i < answer_cache::entries_max; ++i) {
        known.keep(nth(i), found_at("192.0.2.1"), start, 1h);
    }
    known.keep(nth(0), found_at("192.0.2.2"), start, 1h);  // is the newest now
    known.keep(about("one.more.test"), found_at("192.0.2.3"), start, 1h);
    CHECK(known.find(nth(0), start, duration::max()) != nullptr);
    CHECK(known.find(nth(1), start, duration::max()) == nullptr);
    CHECK(known.find(nth(2), start, duration::max()) != nullptr);
    CHECK(known.find(about("one.more.test"), start, duration::max()) != nullptr);
    known.clear();
    CHECK(known.find(nth(2), start, duration::max()) == nullptr);
}
