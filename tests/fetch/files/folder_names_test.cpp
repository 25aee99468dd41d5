// SPDX-License-Identifier: MIT
#include <fetch/files/folder_names.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

TEST_CASE("a name is one transfer's until that has ended") {
    fetch::folder_names names(false);
    {
        auto first = names.take("x");
        REQUIRE(first.has_value());
        CHECK_FALSE(names.take("x").has_value());
        const auto moved = std::move(*first);
        CHECK(moved.name() == "x");
        CHECK_FALSE(first->is_held());
        names.remember("x");
    }
    CHECK(names.take("x").has_value());
}

TEST_CASE("a name that is remembered is not given again") {
    fetch::folder_names names(true);
    {
        const auto first = names.take("x");
        CHECK(first.has_value());
        names.remember("x");
        CHECK(names.take("y").has_value());
    }
    CHECK_FALSE(names.take("x").has_value());
    CHECK(names.take("y").has_value());
}

TEST_CASE("fingerprints of many names are all found, and no others") {
    fetch::fingerprint_set set;
    CHECK_FALSE(set.contains(0));
    CHECK(set.insert(0));
    CHECK(set.contains(0));
    for (int i = 0; i < 10'000; ++i) {
        CHECK(set.insert(fetch::fingerprint_of(std::to_string(i))));
    }
    CHECK(set.size() == 10'001);
    for (int i = 0; i < 10'000; ++i) {
        CHECK_FALSE(set.insert(fetch::fingerprint_of(std::to_string(i))));
        CHECK_FALSE(set.contains(fetch::fingerprint_of("other" + std::to_string(i))));
    }
}

TEST_CASE("what is known to be there goes by the first part of a name") {
    fetch::known_names some(true);
    some.add("site");
    CHECK_FALSE(some.lacks("site"));
    CHECK_FALSE(some.lacks("site/a/b"));
    CHECK(some.lacks("other/site"));
    const fetch::known_names nothing;
    CHECK_FALSE(nothing.lacks("site"));
}
