// SPDX-License-Identifier: MIT
#include <leat/spawn_after.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

leat::task<std::string> greeting(const std::string& name) {
    co_await leat::sleep(1s);
    co_return "hello " + name;
}

}  // namespace

VIRTUAL_TEST("a task spawned for later begins then, and its arguments live as long as it") {
    const auto began = leat::now();
    auto later = leat::spawn_after(3s, greeting, "world");
    const std::string text = co_await later;
    CHECK(text == "hello world");
    CHECK(leat::now() - began == 4s);
}

VIRTUAL_TEST("one that is cancelled before calls nothing, and drops what it holds") {
    auto held = std::make_shared<int>(1);
    bool called = false;
    auto later = leat::spawn_after(3s, [held, &called]() -> leat::task<> {
        called = true;
        co_return;
    });
    co_await leat::sleep(1s);
    later.cancel();
    const auto& ended = co_await later.join();
    CHECK(ended.cancelled());
    CHECK_FALSE(called);
    CHECK(held.use_count() == 1);
}

VIRTUAL_TEST("one without delay begins in its turn, and is known by where it was spawned") {
    auto now = leat::spawn_after(
        0s, [](std::unique_ptr<int> box) -> leat::task<int> { co_return *box; }, std::make_unique<int>(7));
    CHECK(std::string_view(now.state().spawned_at.file_name()).ends_with("spawn_after_test.cpp"));
    const int number = co_await now;
    CHECK(number == 7);
}
