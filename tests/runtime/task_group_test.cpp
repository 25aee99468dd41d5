// SPDX-License-Identifier: MIT
#include <leat/task_group.hpp>

#include "brittle.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::reports;
using leat::stuck;
using leat::task_group;
using leat::thrown_by;
using leat::with_task_group;

namespace {

leat::task<> fails_after(leat::duration length, const char* text) {
    co_await leat::sleep(length);
    throw std::runtime_error(text);
}

leat::task<> note_after(leat::duration length, char name, std::string& log) {
    co_await leat::sleep(length);
    log += name;
}

// Notes that it was unwound.
leat::task<> note_cancel(char name, std::string& log) {
    struct last {
        char name;
        std::string& log;
        ~last() {
            if (leat::unwinding()) {
                log += name;
            }
        }
    };
    const last local{name, log};
    co_await stuck();
}

}  // namespace

LEAT_TEST("a group gives its body's value when all children have ended") {
    std::string log;
    const int value = co_await with_task_group([&](task_group& group) -> leat::task<int> {
        group.spawn(note_after, 2ms, 'b', std::ref(log));
        group.spawn(note_after, 1ms, 'a', std::ref(log));
        CHECK(group.size() == 2);
        co_return 5;
    });
    CHECK(value == 5);
    CHECK(log == "ab");
}

VIRTUAL_TEST("a group without children, and one whose children have ended, does not wait") {
    co_await with_task_group([](task_group&) -> leat::task<> { co_return; });
    co_await with_task_group([](task_group& group) -> leat::task<> {
        auto child = group.spawn([]() -> leat::task<> { co_return; });
        co_await child;
        CHECK(group.size() == 0);
    });
    CHECK(kernel.collects == 0);
}

VIRTUAL_TEST("children may spawn more children after the body has ended") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            group.spawn(note_after, 1s, 'x', std::ref(log));
        });
        co_return;
    });
    CHECK(log == "x");
}

VIRTUAL_TEST("a child's error cancels the body and the other children and is thrown from the group") {
    std::string log;
    const std::string thrown = co_await thrown_by([](std::string& to) -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(note_cancel, 'a', std::ref(to));
            group.spawn(fails_after, 1s, "first");
            group.spawn(note_cancel, 'b', std::ref(to));
            co_await note_cancel('m', to);
        });
        to += "not reached";
    }(log));
    CHECK(thrown == "first");
    CHECK(log == "mab");
    CHECK(reports.empty());
}

VIRTUAL_TEST("the body's error cancels the children and is thrown when they have ended") {
    std::string log;
    const std::string thrown = co_await thrown_by([](std::string& to) -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(note_cancel, 'a', std::ref(to));
            co_await leat::yield();
            throw std::runtime_error("the body");
        });
    }(log));
    CHECK(thrown == "the body");
    CHECK(log == "a");
    CHECK(reports.empty());
}

LEAT_TEST("a callable that throws before its body begins fails the group") {
    auto refuse = [](task_group& group) -> leat::task<> {
        return group.size() == 0 ? throw std::runtime_error("no body") : stuck();
    };
    const std::string thrown = co_await thrown_by(with_task_group(refuse));
    CHECK(thrown == "no body");
}

LEAT_TEST("a group whose body gives a value that cannot be passed on throws when its children have ended") {
    int failed = 0;
    int children = 0;
    for (int copies = 0; copies < 8; ++copies) {
        try {
            (void)co_await with_task_group([&](task_group& group) -> leat::task<leat::brittle> {
                group.spawn([&]() -> leat::task<> {
                    ++children;
                    co_await leat::yield();
                    --children;
                });
                co_await leat::yield();
                co_return leat::brittle(copies);
            });
        } catch (const std::runtime_error&) {
            ++failed;
        }
        CHECK(children == 0);
    }
    CHECK(failed == 6);  // of body and group: co_return and the end of the task; and the outcome between them
}

VIRTUAL_TEST("the first error is thrown and each later one is reported once") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    auto fails_all_the_same = [](int descriptor, const char* text) -> leat::task<> {
        co_await leat::transfer(descriptor);
        throw std::runtime_error(text);
    };
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(fails_all_the_same, 7, "second");
        group.spawn(fails_after, 1s, "first");
        co_await fails_all_the_same(8, "third, of the body");
    }));
    CHECK(thrown == "first");
    REQUIRE(reports.size() == 2);
    CHECK((reports[0] + reports[1]).find("second") != std::string::npos);
    CHECK((reports[0] + reports[1]).find("third, of the body") != std::string::npos);
}

VIRTUAL_TEST("a child's error that the body passes on is thrown once and not reported") {
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
        auto child = group.spawn([]() -> leat::task<> {
            throw std::runtime_error("shared");
            co_return;
        });
        kernel.inline_results[7] = 0;
        co_await leat::yield();
        (void)child.value();
    }));
    CHECK(thrown == "shared");
    CHECK(reports.empty());
}

VIRTUAL_TEST("a child that is cancelled through its handle is no error") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        auto child = group.spawn(stuck);
        group.spawn(note_after, 1s, 'x', std::ref(log));
        co_await leat::yield();
        child.cancel();
    });
    CHECK(log == "x");
}

LEAT_TEST("group.cancel ends the body and all children and is absorbed by the group") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(note_cancel, 'a', std::ref(log));
        co_await leat::yield();
        group.cancel();
        co_await note_cancel('m', log);
        log += "not reached";
    });
    log += '.';
    co_await leat::yield();
    CHECK(log == "ma.");
}

LEAT_TEST("a body that was to give a value and was cut off by group.cancel throws task_cancelled") {
    bool caught = false;
    try {
        co_await with_task_group([&](task_group& group) -> leat::task<int> {
            group.cancel();
            co_await leat::yield();
            co_return 1;
        });
    } catch (const leat::task_cancelled&) {
        caught = true;
    }
    CHECK(caught);
    const int value = co_await with_task_group([&](task_group& group) -> leat::task<int> {
        group.spawn(stuck);
        group.cancel();
        co_return 2;
    });
    CHECK(value == 2);
}

VIRTUAL_TEST("cancelled from outside, a group ends its children first and then goes on unwinding") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        struct last {
            std::string& log;
            ~last() { log += leat::unwinding() ? '!' : '?'; }
        };
        const last local{log};
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(note_cancel, 'a', std::ref(log));
            group.spawn(note_cancel, 'b', std::ref(log));
            co_await note_cancel('m', log);
        });
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "mab!");
}

VIRTUAL_TEST("cancelled from outside while it waits for its children, a group does not return") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(note_cancel, 'a', std::ref(log));
            co_return;
        });
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "a");
}

VIRTUAL_TEST("a group waits for a cancelled child that takes long to end") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::stays;
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(5s);
        kernel.complete(7, -ECANCELED);
    });
    const auto before = leat::now();
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn([]() -> leat::task<> { co_await leat::transfer(7); });
            co_return;
        });
    });
    CHECK_FALSE(finished);
    CHECK(leat::now() - before == 5s);
}

VIRTUAL_TEST("a group whose work is done when its deadline passes gives its value") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    const auto value = co_await leat::move_on_after(1s, [&]() -> leat::task<int> {
        co_return co_await with_task_group([&](task_group& group) -> leat::task<int> {
            auto child = group.spawn([]() -> leat::task<> { co_await leat::transfer(7); });
            co_return static_cast<int>(co_await leat::transfer(8));
        });
    });
    CHECK(value == 1);
}

VIRTUAL_TEST("an error beats a cancellation from outside, and the next wait is cancelled") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        log += co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn([]() -> leat::task<> {
                co_await leat::transfer(7);
                throw std::runtime_error("late ");
            });
            co_await stuck();
        }));
        co_await leat::yield();
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "late ");
}

LEAT_TEST("a task spawned in a cancelled group runs to its first wait") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.cancel();
        group.spawn([&]() -> leat::task<> {
            log += "started ";
            co_await leat::yield();
            log += "not reached";
        });
        co_return;
    });
    CHECK(log == "started ");
}

VIRTUAL_TEST("groups in groups are cancelled from the outermost and end from the innermost") {
    std::string log;
    auto level = [&](auto& self, int depth) -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(note_cancel, static_cast<char>('a' + depth), std::ref(log));
            if (depth < 2) {
                group.spawn([&self, depth]() -> leat::task<> { co_await self(self, depth + 1); });
            }
            co_return;
        });
        log += "not reached";
    };
    auto outer = leat::spawn([&]() -> leat::task<> { co_await level(level, 0); });
    co_await leat::sleep(1s);
    outer.cancel();
    const auto& ended = co_await outer.join();
    CHECK(ended.cancelled());
    CHECK(log == "abc");
}

VIRTUAL_TEST("an exception in a child of a child arrives at the outermost group") {
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& outer) -> leat::task<> {
        outer.spawn([]() -> leat::task<> {
            co_await with_task_group([](task_group& inner) -> leat::task<> {
                inner.spawn(fails_after, 1s, "from below");
                co_return;
            });
        });
        co_await stuck();
    }));
    CHECK(thrown == "from below");
    CHECK(reports.empty());
}
