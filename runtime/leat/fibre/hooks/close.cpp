// SPDX-License-Identifier: MIT
// close, dup2, dup3: they end what fibres wait for on the descriptor, and are never refused. And fork: a
// child has a copy of the scheduler, and its kernel part is the parent's, so in the child nothing is in a
// fibre any more, and calls block.
#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/fibre_wait.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <pthread.h>

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

// Before `from` takes the place of `to`.
void end_waits_on_target(int from, int to) noexcept {
    if (from != to && this_thread.loop != nullptr && ::fcntl(from, F_GETFD) >= 0) {
        end_waits(to);
    }
}

}  // namespace

extern "C" {

int leat_close(int fd) {
    if (this_thread.loop != nullptr) {
        end_waits(fd);
    }
    return real.close(fd);
}

int leat_dup2(int from, int to) noexcept {
    end_waits_on_target(from, to);
    return real.dup2(from, to);
}

int leat_dup3(int from, int to, int flags) noexcept {
    end_waits_on_target(from, to);
    return real.dup3(from, to, flags);
}

decltype(leat_close) interposed_close __asm__("close") __attribute__((alias("leat_close")));
decltype(leat_dup2) interposed_dup2 __asm__("dup2") __attribute__((alias("leat_dup2")));
decltype(leat_dup3) interposed_dup3 __asm__("dup3") __attribute__((alias("leat_dup3")));
}

}  // namespace leat::detail
