// SPDX-License-Identifier: MIT
#include <leat/core/list.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

struct element : leat::list_link {
    explicit element(int number) noexcept : value(number) {}
    int value;
};

std::vector<int> values(leat::list<element>& all) {
    std::vector<int> found;
    for (element* each = all.first(); each != nullptr; each = all.next(*each)) {
        found.push_back(each->value);
    }
    return found;
}

}  // namespace

TEST_CASE("a list gives its elements in the order they came") {
    leat::list<element> all;
    element a(1), b(2), c(3);
    CHECK(all.empty());
    CHECK(all.first() == nullptr);
    all.push_back(a);
    all.push_back(b);
    all.push_back(c);
    CHECK(values(all) == std::vector{1, 2, 3});
    CHECK(&all.front() == &a);
    CHECK(&all.pop_front() == &a);
    CHECK_FALSE(a.linked());
    CHECK(b.linked());
    CHECK(values(all) == std::vector{2, 3});
    b.unlink();
    c.unlink();
    CHECK(all.empty());
}

TEST_CASE("an element leaves a list from the front, the middle and the end, and may come back") {
    leat::list<element> all;
    element a(1), b(2), c(3);
    for (element* each : {&a, &b, &c}) {
        all.push_back(*each);
    }
    b.unlink();
    CHECK(values(all) == std::vector{1, 3});
    c.unlink();
    a.unlink();
    CHECK(all.empty());
    all.push_back(b);
    CHECK(values(all) == std::vector{2});
    b.unlink();
}

TEST_CASE("an element that is pushed to the front is the first, also of an empty list") {
    leat::list<element> all;
    element a(1), b(2), c(3);
    all.push_front(b);
    all.push_back(c);
    all.push_front(a);
    CHECK(values(all) == std::vector{1, 2, 3});
    a.unlink();
    c.unlink();
    CHECK(&all.pop_front() == &b);
    CHECK(all.empty());
}

TEST_CASE("appending moves all elements behind those that are there") {
    leat::list<element> first;
    leat::list<element> second;
    element a(1), b(2), c(3), d(4);
    first.push_back(a);
    second.push_back(b);
    second.push_back(c);
    first.append(second);
    CHECK(values(first) == std::vector{1, 2, 3});
    CHECK(second.empty());
    first.append(second);
    CHECK(values(first) == std::vector{1, 2, 3});
    second.push_back(d);
    second.append(first);
    CHECK(first.empty());
    CHECK(values(second) == std::vector{4, 1, 2, 3});
    while (!second.empty()) {
        second.pop_front();
    }
}
