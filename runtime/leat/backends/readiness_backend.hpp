// SPDX-License-Identifier: MIT
// readiness_backend: the common part of epoll and poll, which learn of readiness: all but the wait itself.
//
// Theory of operation. The kernel reports readiness; the contract asks for completions. So an operation is
// tried at once, and if it would block it is kept under its descriptor and direction and tried again when the
// backend is told that this direction is ready.
//
//   * A short read means the socket is drained (epoll(7), question 9), so the next read waits without
//     trying. But data and FIN may be told as one: once RDHUP, HUP or ERR was seen it is always tried. The
//     same holds after PRI, since a read stops at urgent data, and where descriptors may come with the bytes.
//     A datagram tells nothing about the next one.
//   * The state of a descriptor and its registration belong to the owner that its operations name.
//   * All tries of a turn share a budget of bytes, so that a collect is short. Large operations that find it
//     used up are put into a queue, and are tried first in the next turn.
//   * A file is always ready, and yet may keep a read waiting. A small one is tried for what is in memory;
//     every other call on a file is left to a thread.
//   * readable() and writable() are for descriptors of other code, which may close them without notice. Each
//     wait asks the kernel anew, which shows whether the number is still that of the same file, and is told
//     once; so no state is left under the number, and nobody is woken for what nobody waits for. While both
//     directions are waited for it is watched as others are, until both are over.
//
// Invariant: a waiting operation is kept under a descriptor that watch() has taken. An owner that is at home
// here is the one in the state of its descriptor.
#pragma once

#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/readiness.hpp>
#include <leat/backends/slab_pool.hpp>
#include <leat/core/backend.hpp>
#include <leat/fd.hpp>

#include <utility>
#include <vector>

#include <poll.h>

namespace leat {

class readiness_backend : public backend {
public:
    bool submit(operation& op) final;
    file_start start_file(file_operation& op) final;
    bool cancel(operation& op) noexcept final;
    void wake() noexcept final;
    void retire(int fd) noexcept final;
    void detach(descriptor_owner& owner, list<operation>& done) final;
    void detach_all() noexcept final;
    waiting_operations waiting_on(int fd) noexcept final;
    std::size_t pending() const noexcept final { return pending_; }
    time_point now() noexcept final { return kernel_now(); }
    std::chrono::system_clock::time_point wall_now() noexcept final {
        return std::chrono::system_clock::now();
    }
    std::uint64_t random() noexcept final { return kernel_random(); }
    socket_calls& sockets() noexcept final { return sockets_; }

protected:
    // Of a size that an index is shifted by, not multiplied.
    struct descriptor_state {
        operation* reader = nullptr;
        operation* writer = nullptr;
        descriptor_owner* owner = nullptr;  // at home here
        std::uint32_t registration = 0;     // what it is told by, and registered()
        readiness ready;

        [[nodiscard]] bool watched() const noexcept { return (registration & always) != 0; }
        // The kernel has been asked to tell of the file that had the number then.
        [[nodiscard]] bool registered() const noexcept { return (registration & (always | once)) != 0; }
    };
    static_assert(sizeof(void*) != 8 || sizeof(descriptor_state) == 32);

    // Throws std::system_error when there is no descriptor for wake().
    readiness_backend();
    ~readiness_backend() override;

    // What the kernel is to tell of a descriptor: all that happens, or once that it can be read, or written.
    enum class watching : std::uint8_t { all, next_read, next_write };
    // Makes sure that told() is called when `fd` is ready, also if it is ready already. It takes the place of
    // what was asked for before. Returns 0 or an errno value. EPERM: it is a file, which is always ready. A
    // close alone does not end it: others may have the same socket.
    virtual int watch(int fd, watching what, std::uint32_t registration) noexcept = 0;
    virtual void stop_watching(int fd) noexcept = 0;
    // Called before a descriptor with a number below `count` is watched for the first time: whatever
    // collect() needs for so many is allocated here, where an operation can fail for it. Throws
    // std::bad_alloc.
    virtual void make_room_for(std::size_t count) { (void)count; }

    // Of each descriptor that has been waited for, by number.
    [[nodiscard]] std::vector<descriptor_state>& states() noexcept { return descriptors_; }
    // What poll(2) calls `events` has happened to the descriptor of `state`.
    [[gnu::always_inline]] inline void told(descriptor_state& state, std::uint32_t events,
                                            list<operation>& done);

    // Readable from a wake() until it is read from.
    [[nodiscard]] int wake_descriptor() const noexcept { return wake_.get(); }
    // What collect() begins with: what has completed since, and another try of unfinished operations. Returns
    // until when to wait for events: not at all while there are completed or unfinished ones.
    [[nodiscard]] time_point go_on(time_point deadline, list<operation>& done) noexcept {
        moved_ = 0;
        if (dropped_count_ != 0 || !unfinished_.empty() || pool_->may_shrink()) [[unlikely]] {
            return go_on_with(deadline, done);
        }
        return deadline;
    }

private:
    // The lowest bits of a registration say how it is watched. With the others no two of one number are the
    // same, so that what was told of a file before is known as that.
    static constexpr std::uint32_t always = 1;
    static constexpr std::uint32_t once = 2;
    static constexpr std::uint32_t next_registration = 4;

    static bool for_others(const operation& op) noexcept {
        return op.action == operation_kind::readable || op.action == operation_kind::writable;
    }

    [[gnu::noinline]] bool submit_first(operation& op);
    [[gnu::noinline]] bool send_now(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool wait_for_rest(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool submit_ready(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool fail_or_wait(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool fail_or_watch(operation& op, descriptor_state& state);
    descriptor_state& state_of(const operation& op) noexcept {
        return descriptors_[static_cast<std::size_t>(op.descriptor)];
    }
    [[gnu::noinline]] void adopt(descriptor_owner& owner, descriptor_state& state) noexcept;
    [[gnu::noinline]] void try_unfinished(list<operation>& done) noexcept;
    [[gnu::noinline]] time_point go_on_with(time_point deadline, list<operation>& done) noexcept;
    time_point keep_up(time_point deadline) noexcept;
    static bool takes_small_chunk(const operation& op, const descriptor_state& state) noexcept {
        return op.action == operation_kind::recv_chunk && !state.ready.growth.is_large();
    }
    [[gnu::always_inline]] bool try_now(operation& op, descriptor_state& state) noexcept {
        return takes_small_chunk(op, state) ? detail::attempt_recv_small(op, state.ready, *pool_)
                                            : try_counted(op, state);
    }
    [[gnu::noinline]] bool try_counted(operation& op, descriptor_state& state) noexcept;
    // `op` is worth another try at once.
    [[gnu::noinline]] void note_unfinished(operation& op) noexcept;
    [[gnu::noinline]] void stop_watching_unused(int fd, descriptor_state& state) noexcept;
    void renew(descriptor_state& state, std::uint32_t how) noexcept;
    void forget(int fd, descriptor_state& state) noexcept;
    [[gnu::always_inline]] inline void retry_reader(descriptor_state& state, list<operation>& done);
    void retry(operation*& waiting, descriptor_state& state, list<operation>& done);
    void complete(operation*& waiting, list<operation>& done) noexcept {
        done.push_back(take(waiting));
        --pending_;
    }
    // It does not wait any more.
    static operation& take(operation*& waiting) noexcept {
        operation& op = *std::exchange(waiting, nullptr);
        if (op.linked()) [[unlikely]] {
            op.unlink();  // of unfinished_
        }
        return op;
    }
    void drop(operation*& waiting) noexcept;

    fd wake_;
    kernel_sockets sockets_;
    slab_pool::owner pool_{new slab_pool};
    std::vector<descriptor_state> descriptors_;
    list<operation> dropped_;  // have completed outside of collect, and stay pending until then
    std::size_t dropped_count_ = 0;
    std::size_t pending_ = 0;
    std::size_t moved_ = 0;           // bytes, by tries since the last look
    time_point next_upkeep_ = never;  // of the pool
    list<operation> unfinished_;      // those of the waiting ones that are worth another try at once
};

inline void readiness_backend::told(descriptor_state& state, std::uint32_t events, list<operation>& done) {
    constexpr std::uint32_t ended = POLLHUP | POLLERR;
    if ((events & (ended | POLLRDHUP | POLLPRI)) != 0) [[unlikely]] {
        state.ready.always_try = true;
    }
    if ((events & (ended | POLLRDHUP | POLLIN)) != 0) {
        state.ready.readable = true;
        if (state.reader != nullptr) {
            retry_reader(state, done);
        }
    }
    if ((events & (ended | POLLOUT)) != 0) {
        state.ready.writable = true;
        if (state.writer != nullptr) {
            retry(state.writer, state, done);
        }
    }
}

// What most connections wait for is tried without a look at what others need.
inline void readiness_backend::retry_reader(descriptor_state& state, list<operation>& done) {
    if (!takes_small_chunk(*state.reader, state)) {
        retry(state.reader, state, done);
    } else if (detail::attempt_recv_small(*state.reader, state.ready, *pool_)) [[likely]] {
        complete(state.reader, done);
    } else if (state.ready.readable) {
        note_unfinished(*state.reader);
    }
}

inline void readiness_backend::retry(operation*& waiting, descriptor_state& state, list<operation>& done) {
    operation& op = *waiting;
    if (for_others(op)) [[unlikely]] {
        complete(waiting, done);
        stop_watching_unused(op.descriptor, state);
    } else if (state.ready.to_try(op.action)) {
        if (must_wait(op, state.ready, moved_)) [[unlikely]] {
            note_unfinished(op);
        } else if (try_now(op, state)) {
            complete(waiting, done);
        } else if (state.ready.to_try(op.action)) [[unlikely]] {
            note_unfinished(op);
        }
    }
}

}  // namespace leat
