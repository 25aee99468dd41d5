// SPDX-License-Identifier: MIT
// virtual_kernel: a backend whose time stands still until the loop waits, and whose operations end when the
// test says so. Tests of the scheduler run on it, so that each race has one outcome, chosen by the test.
//
//   VIRTUAL_TEST("a name") { co_await leat::sleep(1h); CHECK(kernel.now() == ...); }
#pragma once

#include <leat/backends/kernel_sockets.hpp>
#include <leat/core/backend.hpp>
#include <leat/io.hpp>
#include <leat/run.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace leat {

class virtual_kernel final : public backend {
public:
    // False: the loop does also what it does in real time only.
    bool says_that_time_is_virtual = true;
    // What a cancel does to a pending operation.
    enum class on_cancel { ends_now, ends_later, succeeds_later, stays };

    ~virtual_kernel() override { check(pending_.empty(), "no operation outlives the loop"); }

    bool submit(operation& op) override {
        ++submitted;
        if (const auto scripted = inline_results.find(op.descriptor); scripted != inline_results.end()) {
            op.result = scripted->second;
            return true;
        }
        pending_.push_back(&op);
        return false;
    }
    bool cancel(operation& op) noexcept override {
        cancelled.push_back(op.descriptor);
        switch (cancelling) {
            case on_cancel::ends_now:
                std::erase(pending_, &op);
                op.result = -ECANCELED;
                return true;
            case on_cancel::ends_later:
                finish(op, -ECANCELED);
                return false;
            case on_cancel::succeeds_later:
                finish(op, 1);
                return false;
            case on_cancel::stays:
                return false;
        }
        return false;
    }
    void collect(time_point deadline, list<operation>& done) override {
        ++collects;
        if (!script.empty() && completed_.empty()) {
            auto next = std::move(script.front());
            script.pop_front();
            next();
        }
        if (completed_.empty() && deadline != long_ago) {
            check(deadline != never || !script.empty(), "the virtual kernel has something to wait for");
            if (deadline != never) {
                time_ = std::max(time_, deadline);
            }
        }
        done.append(completed_);
        completions_ = 0;
    }
    void wake() noexcept override {}
    void retire(int /*fd*/) noexcept override {}
    std::size_t pending() const noexcept override { return pending_.size() + completions_; }
    time_point now() noexcept override { return time_; }
    bool time_is_virtual() const noexcept override { return says_that_time_is_virtual; }
    std::chrono::system_clock::time_point wall_now() noexcept override { return {}; }
    std::uint64_t random() noexcept override { return 4; }
    socket_calls& sockets() noexcept override { return sockets_; }
    backend_description describe() const override { return {"virtual", "", ""}; }

    // Ends the operation that is pending on `descriptor`.
    void complete(int descriptor, std::int64_t result = 0) {
        for (operation* op : pending_) {
            if (op->descriptor == descriptor) {
                finish(*op, result);
                return;
            }
        }
        check(false, "an operation is pending on the completed descriptor");
    }
    void advance(duration by) noexcept { time_ += by; }

    on_cancel cancelling = on_cancel::ends_now;
    std::map<int, std::int64_t> inline_results;  // by descriptor: such an operation completes at once
    std::deque<std::function<void()>> script;    // one step runs in each collect that has nothing else
    std::vector<int> cancelled;                  // descriptors whose operation was asked to end
    int collects = 0;
    int submitted = 0;

private:
    void finish(operation& op, std::int64_t result) noexcept {
        std::erase(pending_, &op);
        op.result = result;
        completed_.push_back(op);
        ++completions_;
    }

    kernel_sockets sockets_;
    time_point time_{std::chrono::hours(1)};
    std::vector<operation*> pending_;
    list<operation> completed_;
    std::size_t completions_ = 0;
};

// What was reported since the test began.
inline std::vector<std::string> reports;

inline void keep_report(std::string_view line) {
    reports.emplace_back(line);
}

// Runs `body(kernel)` as the main task on a virtual kernel, as run() would.
template <typename Body>
auto run_virtually(Body body, const observation& how = {}) {
    reports.clear();
    auto made = std::make_unique<virtual_kernel>();
    virtual_kernel& kernel = *made;
    scheduler loop(std::move(made), keep_report, how);
    return detail::run_on(loop, std::source_location::current(), [&] { return body(kernel); });
}

// A task that only a cancellation ends.
inline task<> stuck() {
    co_await sleep_until(never);
}

// What `body` throws, "nothing" if it does not.
inline task<std::string> thrown_by(task<> body) {
    try {
        co_await std::move(body);
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "nothing";
}

// An operation of the virtual kernel: gives its result as a count, or throws its error.
class [[nodiscard]] transfer : public io_awaiter {
public:
    explicit transfer(int descriptor) noexcept
        : io_awaiter(detail::recv_kind, operation_kind::recv, descriptor) {}
    leat::result<std::size_t> take() const noexcept { return count(); }
    std::size_t await_resume() const { return take().value("transfer"); }
};

}  // namespace leat

#define VIRTUAL_TEST_NAMED(function, name)                   \
    static ::leat::task<> function(::leat::virtual_kernel&); \
    TEST_CASE(name) {                                        \
        ::leat::run_virtually(function);                     \
    }                                                        \
    static ::leat::task<> function([[maybe_unused]] ::leat::virtual_kernel& kernel)
#define VIRTUAL_TEST(name) VIRTUAL_TEST_NAMED(DOCTEST_ANONYMOUS(virtual_test_), name)
