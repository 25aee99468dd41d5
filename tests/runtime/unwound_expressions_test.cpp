// SPDX-License-Identifier: MIT
// What an unwinding destroys when the wait stands in the middle of an expression, a loop or a try block:
// exactly what has been made by then, in reverse order, and no handler or later line runs. Compilers differ
// here, so this runs under each of them, with AddressSanitizer too.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::string log_;  // NOLINT: one test at a time
int alive_operands = 0;

// Notes its end; owns memory, so that a leak or a second end is seen by AddressSanitizer.
class operand {
public:
    explicit operand(char name) : name_(std::make_unique<char>(name)) { ++alive_operands; }
    operand(operand&& other) noexcept : name_(std::move(other.name_)) { ++alive_operands; }
    operand& operator=(operand&&) = delete;
    ~operand() {
        --alive_operands;
        if (name_ != nullptr) {
            log_ += *name_;
        }
    }
    operand& operator<<(int) & { return *this; }
    operand&& operator<<(int) && { return std::move(*this); }
    [[nodiscard]] operand& with(int) { return *this; }
    [[nodiscard]] int number() const { return *name_ - 'a'; }

private:
    std::unique_ptr<char> name_;
};

struct both {
    both(operand&& left, int right) : held(std::move(left)), number(right) {}
    operand held;
    int number;
};

leat::task<int> never_comes() {
    const operand inner('i');
    co_await leat::sleep_until(leat::never);
    log_ += "not reached";
    co_return 1;
}

leat::task<operand> makes(char name) {
    co_await leat::yield();
    co_return operand(name);
}

// What is destroyed, in order, when `body` is cancelled while it waits.
leat::task<std::string> unwound(leat::task<> (*body)()) {
    log_.clear();
    auto victim = leat::spawn(body);
    for (int turns = 0; turns < 10; ++turns) {
        co_await leat::yield();
    }
    CHECK_FALSE(victim.done());
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(alive_operands == 0);
    co_return std::exchange(log_, {});
}

}  // namespace

VIRTUAL_TEST("temporaries of the expression around the wait die, and what comes after it was never made") {
    const std::string operators = co_await unwound([]() -> leat::task<> {
        const operand before('a');
        operand('t') << 1 << co_await never_comes() << 2;
        const operand after('z');
    });
    CHECK(operators == "ita");
    const std::string calls = co_await unwound([]() -> leat::task<> {
        const operand before('a');
        const int number = operand('t').with(1).with(co_await never_comes()).number();
        log_ += std::to_string(number);
        const operand after('z');
    });
    CHECK(calls == "ita");
    const std::string argument = co_await unwound([]() -> leat::task<> {
        const both made{operand('t'), co_await never_comes()};
        const operand after('z');
    });
    CHECK(argument == "it");
}

VIRTUAL_TEST("a temporary that another wait of the expression gave dies with it") {
    const std::string order =
        co_await unwound([]() -> leat::task<> { (co_await makes('m')) << co_await never_comes(); });
    CHECK(order == "im");
    const std::string bound = co_await unwound([]() -> leat::task<> {
        const operand& kept = co_await makes('m');
        const operand after('n');
        (void)co_await never_comes();
        log_ += std::to_string(kept.number());
    });
    CHECK(bound == "inm");
}

LEAT_TEST("a wait in a condition, an initialiser and a return unwinds from there") {
    const std::string condition = co_await unwound([]() -> leat::task<> {
        if (const operand chosen('c'); co_await never_comes() != 0) {
            const operand inside('z');
        }
    });
    CHECK(condition == "ic");
    const std::string choice = co_await unwound([]() -> leat::task<> {
        switch (const operand chosen('c'); co_await never_comes()) {
            default:
                log_ += "not reached";
        }
    });
    CHECK(choice == "ic");
    const std::string result = co_await unwound([]() -> leat::task<> {
        const int number = co_await []() -> leat::task<int> {
            const operand local('l');
            co_return operand('t').number() + co_await never_comes();
        }();
        log_ += std::to_string(number);
    });
    CHECK(result == "itl");
}

LEAT_TEST("a wait in a loop unwinds that round and what the loop holds") {
    const std::string counted = co_await unwound([]() -> leat::task<> {
        for (operand outer('o'); log_.size() < 100;) {
            const operand round('r');
            if (log_ == "rr") {
                (void)co_await never_comes();
            }
            co_await leat::yield();
        }
    });
    CHECK(counted == "rriro");
    const std::string over_range = co_await unwound([]() -> leat::task<> {
        const operand before('a');
        for (const int number : std::vector<int>{1, 2, 3}) {
            const operand round('r');
            if (number == 2) {
                (void)co_await never_comes();
            }
        }
    });
    CHECK(over_range == "rira");
    const std::string while_waiting = co_await unwound([]() -> leat::task<> {
        do {
            const operand round('r');
        } while (co_await never_comes() != 0);
    });
    CHECK(while_waiting == "ri");
}

LEAT_TEST("no handler of any try block around the wait runs, and what the blocks hold dies") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        try {
            const operand outer('o');
            try {
                const operand inner('n');
                (void)co_await never_comes();
            } catch (const std::exception&) {
                log_ += "caught";
            }
            log_ += "not reached";
        } catch (...) {
            log_ += "caught";
            throw;
        }
    });
    CHECK(order == "ino");
}

LEAT_TEST("a wait after an exception was handled unwinds as any other") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        std::exception_ptr error;
        try {
            const operand thrown_over('t');
            throw std::runtime_error("handled");
        } catch (...) {
            error = std::current_exception();
        }
        const operand local('l');
        (void)co_await never_comes();
    });
    CHECK(order == "til");
}

LEAT_TEST("what an optional, a vector and a moved local hold dies once") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        std::optional<operand> maybe(std::in_place, 'm');
        std::vector<operand> many;
        many.reserve(2);
        many.emplace_back('v');
        many.emplace_back('w');
        operand local('l');
        const operand moved = std::move(local);
        (void)co_await never_comes();
    });
    CHECK(order.substr(0, 2) == "il");
    CHECK(order.substr(4) == "m");
    CHECK(order.size() == 5);
}

// Whether the first part is made before the wait for the second, as the language says, or after it, as g++ 14
// has it, it does not outlive the unwinding.
LEAT_TEST("of an aggregate, an array or a lambda that is being made, what is there already dies") {
    const auto right = [](const std::string& order) { return order == "if" || order == "i"; };
    const std::string aggregate = co_await unwound([]() -> leat::task<> {
        struct parts {
            operand first;
            int second;
        };
        const parts made{operand('f'), co_await never_comes()};
        log_ += std::to_string(made.second);
    });
    CHECK(right(aggregate));
    const std::string array = co_await unwound([]() -> leat::task<> {
        const operand made[] = {operand('f'), operand(co_await never_comes() > 0 ? 'x' : 'y')};
        log_ += std::to_string(made[0].number());
    });
    CHECK(right(array));
    const std::string captures = co_await unwound([]() -> leat::task<> {
        const auto made = [first = operand('f'), second = co_await never_comes()] { return second; };
        log_ += std::to_string(made());
    });
    CHECK(right(captures));
}

LEAT_TEST("a task that was made and not yet awaited dies with who holds it, and never starts") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        auto later = [](operand) -> leat::task<> {
            log_ += "started";
            co_return;
        }(operand('p'));
        const operand local('l');
        (void)co_await never_comes();
        co_await std::move(later);
    });
    CHECK(order == "ilp");
}

LEAT_TEST("the arguments of the awaiting call die with it") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        auto with = [](operand, int) -> leat::task<> { (void)co_await never_comes(); };
        co_await with(operand('p'), 1);
    });
    CHECK(order == "ip");
}

VIRTUAL_TEST("what a scope, a deadline or a shield runs dies inside it, before what stands around") {
    const std::string order = co_await unwound([]() -> leat::task<> {
        const operand outer('o');
        (void)co_await leat::move_on_after(1h, [held = std::make_shared<operand>('c')]() -> leat::task<> {
            const operand inner('n');
            co_await leat::timeout(1h, leat::timeout(2h, never_comes()));
        });
    });
    CHECK(order == "inco");
}
