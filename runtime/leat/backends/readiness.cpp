// SPDX-License-Identifier: MIT
#include <leat/backends/readiness.hpp>

#include <algorithm>
#include <new>

#include <limits.h>

namespace leat::detail {

namespace {

// Calls `call` until it is not interrupted; its answer, or a negated errno.
template <typename Call>
std::int64_t uninterrupted(Call call) noexcept {
    for (;;) {
        const std::int64_t answer = call();
        if (answer >= 0) [[likely]] {
            return answer;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

bool complete(operation& op, std::int64_t result) noexcept {
    op.result = result;
    return true;
}

// For an answer below 0: false when the call would have blocked, and `direction` is not ready any more.
bool complete_unless_blocked(operation& op, std::int64_t answer, bool& direction) noexcept {
    static_assert(EAGAIN == EWOULDBLOCK);
    if (answer == -EAGAIN) {
        direction = false;
        return false;
    }
    return complete(op, answer);
}

}  // namespace

bool attempt_accept(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted([&] {
        auto size = static_cast<socklen_t>(op.length);
        return ::accept4(op.descriptor, op.address, op.address != nullptr ? &size : nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
    return complete_unless_blocked(op, answer, ready.readable);
}

bool attempt_connect(operation& op, readiness& ready) noexcept {
    enum { unstarted, started };
    if (op.phase == unstarted) {
        op.phase = started;
        const int status = ::connect(op.descriptor, op.address, static_cast<socklen_t>(op.length));
        if (status == 0) {
            return complete(op, 0);
        }
        if (errno != EINPROGRESS && errno != EINTR) {
            return complete(op, -errno);
        }
        ready.writable = false;
        return false;
    }
    if (!ready.writable) {
        return false;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(op.descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    return complete(op, -error);
}

bool attempt_recv(operation& op, readiness& ready) noexcept {
    for (;;) {
        const auto done = static_cast<std::size_t>(op.transferred);
        const std::size_t wanted = op.length - done;
        const std::int64_t answer =
            uninterrupted([&] { return ::recv(op.descriptor, op.buffer + done, wanted, MSG_DONTWAIT); });
        if (answer < 0) {
            return complete_unless_blocked(op, answer, ready.readable);
        }
        op.transferred += answer;
        const bool drained = static_cast<std::size_t>(answer) < wanted;
        if (drained && !ready.hung_up) {
            ready.readable = false;
        }
        if (!op.whole || !drained || answer == 0) {
            return complete(op, op.transferred);
        }
        if (!ready.readable) {
            return false;
        }
    }
}

// No memory is this operation's error alone: a throw would pass through the loop that retries others.
bool attempt_recv_chunk(operation& op, readiness& ready, slab_pool& pool) {
    slab_pool::lease lease{};
    try {
        lease = pool.take();
    } catch (const std::bad_alloc&) {
        return complete(op, -ENOMEM);
    }
    const std::int64_t answer = uninterrupted(
        [&] { return ::recv(op.descriptor, lease.buffer, slab_pool::buffer_size, MSG_DONTWAIT); });
    if (answer <= 0) [[unlikely]] {
        pool.release(lease.buffer, lease.index);
        return answer == 0 ? complete(op, 0) : complete_unless_blocked(op, answer, ready.readable);
    }
    ready.readable = answer == slab_pool::buffer_size || ready.hung_up;
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

// MSG_NOSIGNAL, because a closed peer is an error here and never a signal.
bool attempt_send(operation& op, readiness& ready) noexcept {
    for (;;) {
        const std::size_t left = op.length - static_cast<std::size_t>(op.transferred);
        const std::int64_t answer = uninterrupted([&] {
            return ::send(op.descriptor, op.buffer + op.transferred, left, MSG_DONTWAIT | MSG_NOSIGNAL);
        });
        if (answer < 0) [[unlikely]] {
            return complete_unless_blocked(op, answer, ready.writable);
        }
        op.transferred += answer;
        if (static_cast<std::size_t>(answer) == left || !op.whole) {
            return complete(op, op.transferred);
        }
    }
}

void advance_vectors(operation& op, std::size_t count) noexcept {
    while (op.length > 0 && count >= op.vectors->iov_len) {
        count -= op.vectors->iov_len;
        ++op.vectors;
        --op.length;
    }
    if (op.length > 0) {
        op.vectors->iov_base = static_cast<std::byte*>(op.vectors->iov_base) + count;
        op.vectors->iov_len -= count;
    }
}

bool attempt_send_vectors(operation& op, readiness& ready) noexcept {
    do {
        const std::int64_t answer = uninterrupted([&] {
            msghdr message{};
            message.msg_iov = op.vectors;
            message.msg_iovlen = std::min<std::size_t>(op.length, IOV_MAX);
            return ::sendmsg(op.descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        });
        if (answer < 0) {
            return complete_unless_blocked(op, answer, ready.writable);
        }
        op.transferred += answer;
        advance_vectors(op, static_cast<std::size_t>(answer));
    } while (op.whole && op.length > 0);
    return complete(op, op.transferred);
}

}  // namespace leat::detail
