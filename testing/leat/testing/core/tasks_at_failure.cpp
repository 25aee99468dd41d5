// SPDX-License-Identifier: MIT
#include <leat/testing/core/tasks_at_failure.hpp>

#include <leat/observe/dump.hpp>
#include <leat/testing/simulate.hpp>
#include <leat/timeout.hpp>

#include <new>

namespace leat::testing {

namespace {

constinit thread_local detail::tasks_at_failure* watching = nullptr;

std::string tasks_now() noexcept {
    try {
        std::string list = dump_tasks();
        list.pop_back();  // the end of its last line
        return list;
    } catch (const std::bad_alloc&) {
        return {};
    }
}

}  // namespace

detail::tasks_at_failure::tasks_at_failure() noexcept : outer_(std::exchange(watching, this)) {
    leat::detail::timeout_passes = timeout_passes;
}

detail::tasks_at_failure::~tasks_at_failure() {
    watching = outer_;
    if (outer_ == nullptr) {
        leat::detail::timeout_passes = nullptr;
    }
}

task<> detail::tasks_at_failure::watch(const std::function<task<>()>& body) {
    try {
        co_await body();
    } catch (const timed_out&) {
        if (!noted_ && timeout_passed_at_ == now()) {
            noted_ = true;
            list_ = std::move(at_timeout_);
        } else {
            note_now();
        }
        throw;
    } catch (...) {
        note_now();
        throw;
    }
}

std::string detail::tasks_at_failure::text() const {
    return list_.empty() ? list_ : "\ntasks at that moment:\n" + list_;
}

void detail::tasks_at_failure::note_now() noexcept {
    scheduler& loop = current_scheduler();
    if (!std::exchange(noted_, true) && loop.root().size + loop.background().size > 1) {
        list_ = tasks_now();
    }
}

void detail::tasks_at_failure::timeout_passes() noexcept {
    watching->at_timeout_ = tasks_now();
    watching->timeout_passed_at_ = now();
}

void detail::note_failure() noexcept {
    if (watching != nullptr && this_thread.loop != nullptr) {
        watching->note_now();
    }
}

}  // namespace leat::testing
