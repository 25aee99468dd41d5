// SPDX-License-Identifier: MIT
#include <leat/fibre/core/stack_overflow.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/fibre/core/fibre.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <mutex>
#include <string_view>
#include <utility>

#include <sys/mman.h>

namespace leat::detail {

namespace {

struct sigaction handler_before;  // written before ours is there

void tell(const fibre_stack& stack) noexcept {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), stack.size);
    write_to_standard_error(
        {"leat: a fibre has overflowed its stack of ",
         std::string_view(digits.data(), static_cast<std::size_t>(end.ptr - digits.data())),
         " bytes: give leat::blocking a larger one, {.stack = ...}\n"});
}

// Returns to the instruction that failed, which fails again, and finds the handler before, or dies. A signal
// that was sent is sent again.
void handle(int number, siginfo_t* info, void* /*where*/) {
    fibre* const hooked = std::exchange(this_fibre.hooked, nullptr);  // what is written below does not wait
    const fibre* const here = this_fibre.running;
    if (here != nullptr && here->stack().guards(info->si_addr)) {
        tell(here->stack());
        struct sigaction dies{};
        dies.sa_handler = SIG_DFL;
        ::sigaction(number, &dies, nullptr);
    } else {
        ::sigaction(number, &handler_before, nullptr);
        if (info->si_code <= 0) {  // SI_USER and its like
            (void)::raise(number);
        }
        this_fibre.hooked = hooked;
    }
}

void handle_faults() noexcept {
    constinit static std::mutex once;
    constinit static bool handled = false;
    const std::scoped_lock lock(once);
    struct sigaction now{};
    ::sigaction(SIGSEGV, nullptr, &now);
    const bool is_default = (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
    if (std::exchange(handled, true) && !is_default) {
        return;
    }
    handler_before = now;
    struct sigaction ours{};
    ours.sa_sigaction = handle;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    ::sigaction(SIGSEGV, &ours, nullptr);
}

// The stack for signals, unless the thread has one. Without memory there is no line.
class signal_stack {
public:
    signal_stack() noexcept {
        stack_t before{};
        if (::sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) {
            return;
        }
        void* const memory =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory != MAP_FAILED) {
            memory_ = memory;
            const stack_t used{.ss_sp = memory, .ss_flags = 0, .ss_size = size};
            ::sigaltstack(&used, nullptr);
        }
    }
    signal_stack(const signal_stack&) = delete;
    signal_stack& operator=(const signal_stack&) = delete;
    ~signal_stack() {
        if (memory_ != nullptr) {
            const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
            ::sigaltstack(&none, nullptr);
            ::munmap(memory_, size);
        }
    }

private:
    static constexpr std::size_t size = std::size_t{64} * 1024;  // large vector registers are saved on it
    void* memory_ = nullptr;
};

}  // namespace

void watch_for_overflows() noexcept {
    handle_faults();
    thread_local const signal_stack for_overflows;
}

}  // namespace leat::detail
