// SPDX-License-Identifier: MIT
#include <leat/observe/core/dump_signal.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <string>

#include <csignal>

#include <sched.h>

namespace leat::detail {

namespace {

// Read by the handler, which may run on any thread, and may take no lock.
constinit std::array<std::atomic<dump_signal*>, dump_signal::most> askers{};
constinit std::atomic<int> in_handler = 0;

// Beside the handler: who has installed it for which signal.
constinit std::mutex registering_signals;
struct installed {
    int users = 0;
    struct sigaction before{};
};
constinit std::array<installed, NSIG> handlers{};

void ask_for_dump(int number) {
    const int kept = errno;
    in_handler.fetch_add(1);
    for (const auto& slot : askers) {
        if (dump_signal* asker = slot.load(); asker != nullptr && asker->number() == number) {
            asker->notify();
        }
    }
    in_handler.fetch_sub(1);
    errno = kept;
}

}  // namespace

dump_signal::dump_signal(int number, std::atomic<bool>& asked, backend& sleeper)
    : number_(number), asked_(asked), sleeper_(sleeper) {
    const std::lock_guard lock(registering_signals);
    const auto slot = std::find(askers.begin(), askers.end(), nullptr);
    if (slot == askers.end()) {
        throw std::length_error("at most 1024 runs have a dump_signal at a time");
    }
    struct sigaction action{};
    action.sa_handler = ask_for_dump;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (number < 0 || number >= NSIG ||
        (handlers[static_cast<std::size_t>(number)].users == 0 &&
         ::sigaction(number, &action, &handlers[static_cast<std::size_t>(number)].before) != 0)) {
        throw std::invalid_argument("the dump_signal cannot be " + std::to_string(number));
    }
    ++handlers[static_cast<std::size_t>(number)].users;
    slot->store(this);
}

dump_signal::~dump_signal() {
    const std::lock_guard lock(registering_signals);
    std::find(askers.begin(), askers.end(), this)->store(nullptr);
    installed& handler = handlers[static_cast<std::size_t>(number_)];
    if (--handler.users == 0) {
        ::sigaction(number_, &handler.before, nullptr);
    }
    while (in_handler.load() != 0) {  // on another thread, which may have seen this one
        ::sched_yield();
    }
}

void dump_signal::notify() noexcept {
    asked_.store(true, std::memory_order_relaxed);
    sleeper_.wake();
}

}  // namespace leat::detail
