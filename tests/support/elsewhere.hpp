// SPDX-License-Identifier: MIT
// elsewhere: a run on a thread of its own, for a test that exhausts the memory of its own thread: who is
// there goes on as always.
//
//   support::elsewhere server([&](const auto& ready) -> leat::task<> {
//       ...                                // what the test looks at before ready()
//       ready();
//       co_await leat::sleep_until(leat::never);
//   });
#pragma once

#include <leat/runtime.hpp>
#include <leat/threads.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace support {

class elsewhere {
public:
    using readiness = std::function<void()>;

    // Returns once `body(ready)` has called ready(). The body is cancelled at the end of this.
    template <typename Body>
    explicit elsewhere(Body body) {
        auto begun = std::make_shared<std::promise<leat::remote>>();
        std::future<leat::remote> begins = begun->get_future();
        thread_ = std::thread([this, begun, body = std::move(body)] {
            leat::run([&]() -> leat::task<> {
                const readiness ready = [&] { begun->set_value(leat::current_scheduler().remote()); };
                auto works = leat::spawn([&] { return body(ready); });
                co_await over_.wait();
                works.cancel();
                co_await works.join();
            });
        });
        there_.emplace(begins.get());
    }
    elsewhere(const elsewhere&) = delete;
    elsewhere& operator=(const elsewhere&) = delete;
    ~elsewhere() {
        there_->post([this] { over_.set(); });
        there_.reset();
        thread_.join();
    }

private:
    leat::event over_;  // of that thread
    std::optional<leat::remote> there_;
    std::thread thread_;
};

}  // namespace support
