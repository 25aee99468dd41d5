// SPDX-License-Identifier: MIT
#include <leat/core/small_list.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace {

struct element : leat::detail::small_list_link {
    explicit element(int number) noexcept : value(number) {}
    int value;
};

std::vector<int> values(leat::detail::small_list<element>& all) {
    std::vector<int> found;
    for (element* each = all.first(); each != nullptr; each = all.next(*each)) {
        found.push_back(each->value);
    }
    return found;
}

}  // namespace

TEST_CASE("a small list is one word, and gives its elements in the order they came") {
    static_assert(sizeof(leat::detail::small_list<element>) == sizeof(void*));
    leat::detail::small_list<element> all;
    element a(1), b(2), c(3);
    CHECK(all.empty());
    CHECK(all.first() == nullptr);
    all.push_back(a);
    all.push_back(b);
    all.push_back(c);
    CHECK_FALSE(all.empty());
    CHECK(values(all) == std::vector{1, 2, 3});
    CHECK(&all.pop_front() == &a);
    CHECK_FALSE(a.listed());
    CHECK(b.listed());
    CHECK(values(all) == std::vector{2, 3});
    CHECK(&all.pop_front() == &b);
    CHECK(&all.pop_front() == &c);
    CHECK_FALSE(c.listed());
    CHECK(all.empty());
}

TEST_CASE("an element leaves a small list from the front, the middle and the end, and may come back") {
    for (int removed = 0; removed < 4; ++removed) {
        leat::detail::small_list<element> all;
        element four[] = {element(0), element(1), element(2), element(3)};
        std::vector<int> left;
        for (element& each : four) {
            all.push_back(each);
            if (each.value != removed) {
                left.push_back(each.value);
            }
        }
        all.remove(four[removed]);
        CHECK_FALSE(four[removed].listed());
        CHECK(values(all) == left);
        all.push_back(four[removed]);
        left.push_back(removed);
        CHECK(values(all) == left);
        for (const int each : {2, 0, 3, 1}) {
            all.remove(four[each]);
        }
        CHECK(all.empty());
        all.push_back(four[removed]);
        CHECK(values(all) == std::vector{removed});
    }
}
