// SPDX-License-Identifier: MIT
#include <leat/backends/sending_files.hpp>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace leat {
namespace {

constexpr long cachestat_number = 451;  // of every architecture; older headers lack it

// As in linux/mman.h.
struct cachestat_range {
    std::uint64_t offset;
    std::uint64_t length;
};
struct cachestat_answer {
    std::uint64_t cached;
    std::uint64_t dirty;
    std::uint64_t written_back;
    std::uint64_t evicted;
    std::uint64_t recently_evicted;
};

sigset_t only_sigpipe() noexcept {
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGPIPE);
    return only;
}

bool is_pending() noexcept {
    sigset_t pending;
    ::sigemptyset(&pending);
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

bool is_in_memory(int file, std::uint64_t offset, std::size_t size) noexcept {
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    cachestat_range range{offset, size};
    cachestat_answer found{};
    return size > 0 && ::syscall(cachestat_number, file, &range, &found, 0U) == 0 &&
           found.cached == (offset + size - 1) / page - offset / page + 1;
}

// One that is pending already, which only a thread that blocks it has, stays.
without_sigpipe::without_sigpipe() noexcept {
    const sigset_t only = only_sigpipe();
    ::pthread_sigmask(SIG_BLOCK, &only, &before_);
    was_pending_ = ::sigismember(&before_, SIGPIPE) == 1 && is_pending();
}

without_sigpipe::~without_sigpipe() {
    if (!was_pending_ && is_pending()) {
        const sigset_t only = only_sigpipe();
        const timespec at_once{};
        ::sigtimedwait(&only, nullptr, &at_once);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace leat
