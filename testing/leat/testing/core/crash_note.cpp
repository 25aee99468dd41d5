// SPDX-License-Identifier: MIT
#include <leat/testing/core/crash_note.hpp>

#include <leat/core/standard_streams.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>

#include <csignal>

namespace leat::testing::detail {

struct crash_note::slot {
    std::atomic<bool> taken = false;
    std::atomic<std::size_t> size = 0;  // of the text; 0 while there is none
    slot* outer = nullptr;              // the note that this thread had before
    std::array<char, 1024> text{};
};

namespace {

constexpr std::array<int, 5> fatal{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// Read by the handler, which may run on any thread, and may take no lock.
constinit std::array<crash_note::slot, crash_note::most> slots{};
constinit thread_local crash_note::slot* innermost = nullptr;

constinit std::mutex registering;
constinit int users = 0;
constinit std::array<struct sigaction, fatal.size()> before{};

void write(const crash_note::slot& note) noexcept {
    if (const std::size_t size = note.size.load(std::memory_order_acquire)) {
        leat::detail::write_to_standard_error({{note.text.data(), size}});
    }
}

void handle(int number, siginfo_t* info, void* /*context*/) {
    const int kept = errno;
    if (innermost == nullptr) {
        for (const crash_note::slot& each : slots) {
            write(each);
        }
    }
    for (const crash_note::slot* each = innermost; each != nullptr; each = each->outer) {
        write(*each);
    }
    for (std::size_t i = 0; i < fatal.size(); ++i) {
        if (fatal[i] == number) {
            ::sigaction(number, &before[i], nullptr);
        }
    }
    // What the kernel has raised it raises again, because the instruction is tried again. This signal is
    // blocked until the handler returns.
    if (info->si_code <= 0) {
        ::raise(number);
    }
    errno = kept;
}

void install() noexcept {
    const std::lock_guard lock(registering);
    if (users++ > 0) {
        return;
    }
    struct sigaction action{};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;  // on a stack that has overflowed nothing runs
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < fatal.size(); ++i) {
        ::sigaction(fatal[i], &action, &before[i]);
    }
}

void uninstall() noexcept {
    const std::lock_guard lock(registering);
    if (--users > 0) {
        return;
    }
    for (std::size_t i = 0; i < fatal.size(); ++i) {
        ::sigaction(fatal[i], &before[i], nullptr);
    }
}

crash_note::slot* take_slot() noexcept {
    for (crash_note::slot& each : slots) {
        if (!each.taken.exchange(true, std::memory_order_acquire)) {
            return &each;
        }
    }
    return nullptr;
}

}  // namespace

crash_note::crash_note() noexcept : slot_(take_slot()) {
    install();
    if (slot_ != nullptr) {
        slot_->outer = innermost;
        innermost = slot_;
    }
}

crash_note::~crash_note() {
    if (slot_ != nullptr) {
        innermost = slot_->outer;
        slot_->size.store(0, std::memory_order_relaxed);
        slot_->taken.store(false, std::memory_order_release);
    }
    uninstall();
}

void crash_note::say(std::initializer_list<std::string_view> pieces) noexcept {
    if (slot_ == nullptr) {
        return;
    }
    slot_->size.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::size_t size = 0;
    for (const std::string_view piece : pieces) {
        size += piece.copy(slot_->text.data() + size, slot_->text.size() - 1 - size);
    }
    slot_->text[size] = '\n';
    slot_->size.store(size + 1, std::memory_order_release);
}

}  // namespace leat::testing::detail
