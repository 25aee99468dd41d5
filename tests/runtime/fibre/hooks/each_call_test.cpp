// SPDX-License-Identifier: MIT
// What all interposed calls have in common: in a fibre others go on while one waits; and it can be cancelled
// at each moment, without loss of what it waits for.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

// One call in a fibre, and what it gave.
struct attempt {
    explicit attempt(const tried_call& of) : tried(of.make()) {}

    leat::task<> run() {
        return leat::blocking([this] {
            errno = 0;
            result = tried->call();
            error = errno;
        });
    }
    [[nodiscard]] bool ended() const noexcept { return result != unknown; }
    [[nodiscard]] bool is_refused() const noexcept { return result == -1 && error == ECANCELED; }

    static constexpr long unknown = -7;
    std::unique_ptr<situation> tried;
    long result = unknown;
    int error = 0;
};

}  // namespace

LEAT_TEST("while a call waits in a fibre the other tasks go on", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        attempt one(each);
        auto waiting = leat::spawn([&] { return one.run(); });
        co_await let_others_run();
        CHECK_MESSAGE(!one.ended(), each.name);
        one.tried->enable();
        co_await waiting;
        CHECK_MESSAGE(one.result > 0, each.name);
        CHECK_MESSAGE(one.error == 0, each.name);
    }
}

LEAT_TEST("a call in a fibre that need not wait does not", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        attempt one(each);
        one.tried->enable();
        co_await one.run();
        CHECK_MESSAGE(one.result > 0, each.name);
        CHECK_MESSAGE(one.error == 0, each.name);
    }
}

LEAT_TEST("in a cancelled scope a call is refused, also when it need not wait", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        for (const bool enabled : {false, true}) {
            attempt one(each);
            if (enabled) {
                one.tried->enable();
            }
            auto refused = leat::spawn([&] { return one.run(); });
            refused.cancel();
            const auto ended = co_await refused.join();
            CHECK_MESSAGE(ended.cancelled(), each.name);
            CHECK_MESSAGE(one.is_refused(), each.name);
            CHECK_MESSAGE((!enabled || one.tried->is_left()), each.name);
        }
    }
}

LEAT_TEST("a call that waits is ended by a cancellation", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        attempt one(each);
        auto waiting = leat::spawn([&] { return one.run(); });
        co_await let_others_run();
        waiting.cancel();
        const auto ended = co_await waiting.join();
        CHECK_MESSAGE(ended.cancelled(), each.name);
        CHECK_MESSAGE(one.is_refused(), each.name);
        one.tried->enable();
        CHECK_MESSAGE(one.tried->is_left(), each.name);
    }
}

LEAT_TEST("a call that is cancelled in the turn in which it can end gives all or nothing", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        attempt one(each);
        auto waiting = leat::spawn([&] { return one.run(); });
        co_await let_others_run();
        one.tried->enable();
        waiting.cancel();
        const auto ended = co_await waiting.join();
        CHECK_MESSAGE(ended.cancelled() == one.is_refused(), each.name);
        CHECK_MESSAGE((one.is_refused() ? one.tried->is_left() : one.result > 0), each.name);
    }
}

LEAT_TEST("a call that has ended before a cancellation gives its result", backends::kernel) {
    for (const tried_call& each : tried_calls) {
        attempt one(each);
        auto waiting = leat::spawn([&] { return one.run(); });
        co_await let_others_run();
        one.tried->enable();
        co_await let_others_run();
        while (!waiting.done()) {  // a full listener and several children are looked at from time to time
            co_await leat::sleep(std::chrono::milliseconds(1));
        }
        waiting.cancel();
        const auto ended = co_await waiting.join();
        CHECK_MESSAGE(!ended.cancelled(), each.name);
        CHECK_MESSAGE(one.result > 0, each.name);
    }
}
