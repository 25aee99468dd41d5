// SPDX-License-Identifier: MIT
// readiness: how an operation is carried out by system calls that do not block, shared by the backends
// that learn of readiness. The stored state of a descriptor only says whether a call may be worth trying.
#pragma once

#include <leat/backends/slab_pool.hpp>
#include <leat/backends/system_call.hpp>
#include <leat/core/operation.hpp>

#include <algorithm>
#include <cerrno>

namespace leat {

// Starts true: a new descriptor is tried before it is waited for.
struct readiness {
    bool readable = true;
    bool writable = true;
    // Reading is always worth a try: seen RDHUP, HUP, ERR or PRI, or what is read stops short.
    bool always_try = false;
    buffer_growth growth = {};

    [[nodiscard]] bool to_try(operation_kind kind) const noexcept {
        return reads(kind) ? readable : writable;
    }
};

// A try moves no more bytes than this, so that other operations run, however fast the peer is. The rest of a
// `whole` operation is tried again later.
inline constexpr std::size_t bytes_of_a_try = 256 * 1024;
// All tries from one collect to the next move hardly more than this: then large operations wait for the next
// collect, in order, and small ones go on.
inline constexpr std::size_t bytes_of_a_turn = 16 * bytes_of_a_try;
// And into large buffers hardly more than this: what they hold is still in the processor's cache when their
// tasks run.
inline constexpr std::size_t bytes_in_large_buffers = 2 * bytes_of_a_try;

// Whether one try of `op` may move many bytes.
[[nodiscard]] inline bool is_great(const operation& op) noexcept {
    constexpr std::size_t little = 64 * 1024;
    if (op.action == operation_kind::send_vectors) {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < op.length && bytes <= little; ++i) {
            bytes += op.vectors[i].iov_len;
        }
        return bytes > little;
    }
    return (op.action == operation_kind::recv || op.action == operation_kind::send) &&
           op.length - static_cast<std::size_t>(op.transferred) > little;
}

// Whether `op` has to wait for the next collect, because `moved` bytes have been moved since the last.
[[nodiscard]] inline bool must_wait(const operation& op, const readiness& ready, std::size_t moved) noexcept {
    if (moved < bytes_in_large_buffers) [[likely]] {
        return false;
    }
    return op.action == operation_kind::recv_chunk ? ready.growth.is_large()
                                                   : moved >= bytes_of_a_turn && is_great(op);
}

// Whether the next read has bytes that were given back. Then the descriptor is readable.
[[nodiscard]] inline bool holds_bytes(const descriptor_owner* owner) noexcept {
    return owner != nullptr && owner->returned != nullptr;
}

namespace detail {

bool attempt_recv(operation& op, readiness& ready) noexcept;
// recv_chunk of a stream that has filled a small buffer.
bool attempt_recv_large(operation& op, readiness& ready, slab_pool& pool) noexcept;
// Any other kind but the two below, which are those of every echo: their usual case is part of attempt().
bool attempt_other(operation& op, readiness& ready) noexcept;

// What follows any other answer of recv(2) and send(2).
bool recv_slow_path(operation& op, readiness& ready, slab_pool& pool, slab_pool::lease lease,
                    std::int64_t answer) noexcept;
bool sent_otherwise(operation& op, readiness& ready, std::int64_t answer) noexcept;

inline std::int64_t recv_into(const operation& op, slab_pool::lease lease) noexcept {
    return system_call::recv(op.descriptor, lease.buffer, slab_pool::buffer_size, MSG_DONTWAIT);
}

// A lack of memory is an error of this operation only, not of the loop that retries others.
inline bool attempt_recv_small(operation& op, readiness& ready, slab_pool& pool) noexcept {
    if (!pool.provide()) [[unlikely]] {
        op.result = -ENOMEM;
        return true;
    }
    const slab_pool::lease lease = pool.take();
    const std::int64_t answer = recv_into(op, lease);
    if (answer <= 0 || answer >= slab_pool::buffer_size) [[unlikely]] {
        return recv_slow_path(op, ready, pool, lease, answer);
    }
    ready.readable = ready.always_try;
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

// MSG_NOSIGNAL, because a closed peer is an error here and never a signal.
inline std::int64_t send_rest(const operation& op) noexcept {
    const std::size_t left = op.length - static_cast<std::size_t>(op.transferred);
    return system_call::send(op.descriptor, op.buffer + op.transferred, std::min(left, bytes_of_a_try),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
}

inline bool attempt_send(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = send_rest(op);
    if (answer + op.transferred != static_cast<std::int64_t>(op.length)) [[unlikely]] {
        return sent_otherwise(op, ready, answer);
    }
    op.transferred = op.result = static_cast<std::int64_t>(op.length);
    return true;
}

// Drops the first `count` bytes from what a send_vectors has left to send.
void advance_vectors(operation& op, std::size_t count) noexcept;

}  // namespace detail

// Does as much of `op`, which is to_try(), as is possible without waiting. True: it is complete, with its
// result. False: it would block, or, if it is still to_try(), has done as much as one try may do; what
// `whole` has done so far is in op.transferred.
[[nodiscard, gnu::always_inline]] inline bool attempt(operation& op, readiness& ready, slab_pool& pool) {
    if (op.action == operation_kind::recv_chunk) {
        return ready.growth.is_large() ? detail::attempt_recv_large(op, ready, pool)
                                       : detail::attempt_recv_small(op, ready, pool);
    }
    if (op.action == operation_kind::send) {
        return detail::attempt_send(op, ready);
    }
    if (op.action == operation_kind::recv) {
        return detail::attempt_recv(op, ready);
    }
    return detail::attempt_other(op, ready);
}

}  // namespace leat
