// SPDX-License-Identifier: MIT
#include <leat/readiness_callbacks.hpp>

#include <leat/io.hpp>

#include <array>
#include <string>
#include <system_error>
#include <utility>

namespace leat {

// One way to be ready. Of the tasks that wait for it, the last one counts; those before it are cancelled.
struct readiness_callbacks::direction {
    std::uint32_t turn = 0;
    handle<> waiting;

    // No task of before calls anything from now on.
    void end() noexcept {
        ++turn;
        if (waiting.valid()) {
            waiting.cancel();
            waiting = {};
        }
    }
};

// A descriptor; it lives until the tasks that wait for it have ended.
struct readiness_callbacks::registration {
    registration(int of, callback&& function) : descriptor(of), call(std::move(function)) {}

    [[nodiscard]] direction& toward(ready_to event) noexcept {
        return event == ready_to::read ? reading : writing;
    }

    const int descriptor;
    const callback call;
    ready_to events = ready_to::do_nothing;
    std::uint32_t references = 1;
    direction reading;
    direction writing;
};

namespace {

constexpr std::array each_event{ready_to::read, ready_to::write};

[[noreturn]] void fail(std::errc code, int descriptor, const char* what) {
    throw std::system_error(std::make_error_code(code), "descriptor " + std::to_string(descriptor) + what);
}

bool has(ready_to events, ready_to one) noexcept {
    return (events & one) == one;
}

ready_to without(ready_to events, ready_to others) noexcept {
    return static_cast<ready_to>(static_cast<unsigned>(events) & ~static_cast<unsigned>(others));
}

}  // namespace

readiness_callbacks::readiness_callbacks() noexcept = default;

readiness_callbacks::~readiness_callbacks() {
    check(running_ == nullptr, "readiness_callbacks outlive their run()");
}

readiness_callbacks::registration* readiness_callbacks::find(int descriptor) const noexcept {
    const auto found = all_.find(descriptor);
    return found != all_.end() ? found->second.get() : nullptr;
}

void readiness_callbacks::add(int descriptor, ready_to events, callback call) {
    const auto [place, is_new] = all_.try_emplace(descriptor);
    if (!is_new) {
        fail(std::errc::file_exists, descriptor, " has been added before");
    }
    try {
        place->second = detail::reference(*new registration(descriptor, std::move(call)));
        modify(descriptor, events);
    } catch (...) {
        all_.erase(place);
        throw;
    }
}

void readiness_callbacks::modify(int descriptor, ready_to events) {
    registration* const found = find(descriptor);
    if (found == nullptr) {
        fail(std::errc::no_such_file_or_directory, descriptor, " has not been added");
    }
    if (running_ != nullptr) {
        start(*found, without(events, found->events));
    }
    const ready_to gone = without(std::exchange(found->events, events), events);
    for (const ready_to event : each_event) {
        if (has(gone, event)) {
            found->toward(event).end();
        }
    }
}

// If there is no memory for it, nothing is waited for that was not before.
void readiness_callbacks::start(registration& of, ready_to events) {
    for (const ready_to event : each_event) {
        if (!has(events, event)) {
            continue;
        }
        try {
            direction& toward = of.toward(event);
            toward.waiting = running_->spawn([kept = detail::reference<registration>::share(of), event,
                                              turn = toward.turn] { return watch(kept, event, turn); });
        } catch (...) {
            if (event == ready_to::write && has(events, ready_to::read)) {
                of.reading.end();
            }
            throw;
        }
    }
}

bool readiness_callbacks::remove(int descriptor) noexcept {
    const auto found = all_.find(descriptor);
    if (found == all_.end()) {
        return false;
    }
    found->second->reading.end();
    found->second->writing.end();
    all_.erase(found);
    return true;
}

// What it waited for may have come before it was told to end: `turn` tells.
task<> readiness_callbacks::watch(detail::reference<registration> watched, ready_to event,
                                  std::uint32_t turn) {
    const direction& toward = watched->toward(event);
    const bool reads = event == ready_to::read;
    while (toward.turn == turn) {
        const result<void> ready = co_await as_result(readiness_awaiter(
            reads ? detail::readable_kind : detail::writable_kind,
            reads ? operation_kind::readable : operation_kind::writable, watched->descriptor));
        // Of several that are ready in one turn, none is called behind one that has ended the run.
        if (toward.turn != turn || this_thread.task->cancelled()) {
            co_return;
        }
        if (!ready.ok()) {
            throw std::system_error(ready.error(), "descriptor " + std::to_string(watched->descriptor));
        }
        watched->call(watched->descriptor, event);
    }
}

task<> readiness_callbacks::run() {
    check(running_ == nullptr, "one run() of readiness_callbacks at a time");
    struct ending {
        readiness_callbacks& all;
        ~ending() {
            all.running_ = nullptr;
            for (const auto& [descriptor, each] : all.all_) {
                each->reading.end();
                each->writing.end();
            }
        }
    };
    co_await with_task_group([this](task_group& group) -> task<> {
        const ending at_last{*this};
        running_ = &group;
        for (const auto& [descriptor, each] : all_) {
            start(*each, each->events);
        }
        co_await group.wait();
    });
}

void readiness_callbacks::stop() noexcept {
    if (running_ != nullptr) {
        running_->cancel();
    }
}

}  // namespace leat
