// SPDX-License-Identifier: MIT
// close, close_range, closefrom, fclose, dup2, dup3: they end what fibres wait for on the descriptor, and are
// never refused. setsockopt: waits look whether a time limit has changed. And fork: a child has a copy of the
// scheduler, and its kernel part is the parent's, so in the child nothing is in a fibre any more, and calls
// block.
#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/fibre_wait.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstring>

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>

namespace leat::detail {

namespace {

constinit pid_t this_process = 0;
constinit thread_local const scheduler* parents_loop = nullptr;

void note_child() noexcept {
    this_process = ::getpid();
    parents_loop = this_thread.loop;
    this_fibre.hooked = nullptr;
}

[[gnu::constructor(102)]] void hear_of_forks() {
    this_process = ::getpid();
    ::pthread_atfork(nullptr, nullptr, note_child);
}

// A child of vfork runs in our memory, and nobody tells.
[[gnu::noinline]] void end_waits(int fd) noexcept {
    if (this_thread.loop != parents_loop && is_waited_for(fd) && ::getpid() == this_process) {
        descriptor_closes(fd);
    }
}

// Those that are open, from /proc, for the numbers of a range may be a thousand million. Without /proc: all
// that may be.
template <typename Visitor>
void each_open_descriptor(unsigned first, unsigned last, Visitor visit) noexcept {
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        rlimit limit{};
        (void)::getrlimit(RLIMIT_NOFILE, &limit);
        const auto end = std::min<rlim_t>({limit.rlim_cur, rlim_t{last} + 1, INT_MAX});
        for (rlim_t fd = first; fd < end; ++fd) {
            visit(static_cast<int>(fd));
        }
        return;
    }
    while (const dirent* const entry = ::readdir(folder)) {
        unsigned fd = 0;
        const char* const end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, fd).ptr == end && fd >= first && fd <= last) {
            visit(static_cast<int>(fd));
        }
    }
    (void)::closedir(folder);
}

[[gnu::noinline]] void end_waits_in_range(unsigned first, unsigned last) noexcept {
    if (this_thread.loop != nullptr && this_thread.loop != parents_loop && ::getpid() == this_process) {
        const int before = errno;
        each_open_descriptor(first, last, end_waits);
        errno = before;
    }
}

// Before `from` takes the place of `to`.
void end_waits_on_target(int from, int to) noexcept {
    if (from != to && this_thread.loop != nullptr && ::fcntl(from, F_GETFD) >= 0) {
        end_waits(to);
    }
}

}  // namespace

extern "C" {

int leat_close(int fd) {
    note_changed_limits();
    if (this_thread.loop != nullptr) {
        end_waits(fd);
    }
    return real.close(fd);
}

int leat_close_range(unsigned first, unsigned last, int flags) noexcept {
    note_changed_limits();
    // CLOSE_RANGE_CLOEXEC closes none of them now.
    if ((flags & ~static_cast<int>(CLOSE_RANGE_UNSHARE)) == 0) {
        end_waits_in_range(first, last);
    }
    return real.close_range(first, last, flags);
}

void leat_closefrom(int first) noexcept {
    note_changed_limits();
    end_waits_in_range(static_cast<unsigned>(std::max(first, 0)), UINT_MAX);
    real.closefrom(first);
}

// What it writes last is written by the C library, and blocks.
int leat_fclose(FILE* stream) {
    note_changed_limits();
    if (this_thread.loop != nullptr) {
        const int before = errno;
        end_waits(::fileno(stream));  // -1, of a stream in memory
        errno = before;
    }
    return real.fclose(stream);
}

int leat_dup2(int from, int to) noexcept {
    note_changed_limits();
    end_waits_on_target(from, to);
    return real.dup2(from, to);
}

int leat_dup3(int from, int to, int flags) noexcept {
    note_changed_limits();
    end_waits_on_target(from, to);
    return real.dup3(from, to, flags);
}

int leat_setsockopt(int fd, int level, int option, const void* value, socklen_t size) noexcept {
    const int answer = real.setsockopt(fd, level, option, value, size);
    if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
        note_changed_limits();
    }
    return answer;
}

decltype(leat_close) interposed_close __asm__("close") __attribute__((alias("leat_close")));
decltype(leat_close_range) interposed_close_range __asm__("close_range")
    __attribute__((alias("leat_close_range")));
decltype(leat_closefrom) interposed_closefrom __asm__("closefrom") __attribute__((alias("leat_closefrom")));
decltype(leat_fclose) interposed_fclose __asm__("fclose") __attribute__((alias("leat_fclose")));
decltype(leat_dup2) interposed_dup2 __asm__("dup2") __attribute__((alias("leat_dup2")));
decltype(leat_setsockopt) interposed_setsockopt __asm__("setsockopt")
    __attribute__((alias("leat_setsockopt")));
decltype(leat_dup3) interposed_dup3 __asm__("dup3") __attribute__((alias("leat_dup3")));
}

}  // namespace leat::detail
