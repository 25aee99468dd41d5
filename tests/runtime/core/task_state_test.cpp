// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <functional>
#include <stdexcept>

LEAT_TEST("a task has no result before its locals have been destroyed, whether it returned or threw") {
    struct guard {
        ~guard() { saw_one = own.done() || own.ok() || own.error() != nullptr; }
        leat::handle<int>& own;
        bool& saw_one;
    };
    leat::handle<int> own;
    bool saw_one = true;
    own = leat::spawn([&]() -> leat::task<int> {
        const guard last{own, saw_one};
        co_return 7;
    });
    const int value = co_await own;
    CHECK(value == 7);
    CHECK_FALSE(saw_one);
    saw_one = true;
    own = leat::spawn(
        [](leat::handle<int>& self, bool& saw) -> leat::task<int> {
            const guard last{self, saw};
            throw std::runtime_error("oh");
            co_return 7;
        },
        std::ref(own), std::ref(saw_one));
    co_await own.join();
    CHECK(own.error() != nullptr);
    CHECK_FALSE(saw_one);
}

TEST_CASE("the state of a task is of few words, since every idle connection has one") {
    static_assert(sizeof(leat::detail::task_state_of<void>) <= 21 * sizeof(void*));
    static_assert(sizeof(leat::frame) == 2 * sizeof(void*));
    CHECK(sizeof(leat::detail::scope_node) == 6 * sizeof(void*));
}
