// SPDX-License-Identifier: MIT
#include <leat/backends/readiness.hpp>

#include <algorithm>

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

// False when the call would have blocked, and `direction` is not ready any more. A send may have to wait for
// the connection that it has begun itself (TCP_FASTOPEN_CONNECT in tcp(7)).
bool complete_unless_blocked(operation& op, std::int64_t answer, bool& direction) noexcept {
    static_assert(EAGAIN == EWOULDBLOCK);
    if (answer == -EAGAIN || answer == -EINPROGRESS) {
        direction = false;
        return false;
    }
    return complete(op, answer);
}

bool attempt_accept(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted([&] {
        auto size = static_cast<socklen_t>(op.length);
        return system_call::accept4(op.descriptor, op.address, op.address != nullptr ? &size : nullptr,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
    return complete_unless_blocked(op, answer, ready.readable);
}

bool attempt_connect(operation& op, readiness& ready) noexcept {
    enum { unstarted, started };
    if (op.phase == unstarted) {
        op.phase = started;
        const int status = system_call::connect(op.descriptor, op.address, static_cast<socklen_t>(op.length));
        if (status == 0) {
            return complete(op, 0);
        }
        if (errno != EINPROGRESS && errno != EINTR) {
            return complete(op, -errno);
        }
        ready.writable = false;
        return false;
    }
    int error = 0;
    socklen_t size = sizeof error;
    const int status = ::getsockopt(op.descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    return complete(op, status == 0 ? -error : -errno);
}

// Another datagram may be behind this one, however short it is: only EAGAIN says that there is none.
bool attempt_recv_datagram(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted(
        [&] { return system_call::recvmsg(op.descriptor, op.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
    return complete_unless_blocked(op, answer, ready.readable);
}

bool attempt_send_datagram(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted(
        [&] { return system_call::sendmsg(op.descriptor, op.message, MSG_DONTWAIT | MSG_NOSIGNAL); });
    return complete_unless_blocked(op, answer, ready.writable);
}

bool complete_datagrams(operation& op, std::int64_t answer, bool& direction) noexcept {
    for (std::int64_t i = 0; i < answer; ++i) {
        op.transferred += op.messages[i].msg_len;
    }
    return complete_unless_blocked(op, answer, direction);
}

// An error behind some datagrams is that of the next call (recvmmsg(2)).
bool attempt_recv_datagrams(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted([&] {
        return system_call::recvmmsg(op.descriptor, op.messages, static_cast<unsigned>(op.length),
                                     MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
    });
    return complete_datagrams(op, answer, ready.readable);
}

bool attempt_send_datagrams(operation& op, readiness& ready) noexcept {
    const std::int64_t answer = uninterrupted([&] {
        return system_call::sendmmsg(op.descriptor, op.messages, static_cast<unsigned>(op.length),
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
    });
    return complete_datagrams(op, answer, ready.writable);
}

// sendmsg(2) of the first bytes_of_a_try of what is left. A vector that goes beyond is cut for that long.
std::int64_t send_first_vectors(operation& op) noexcept {
    msghdr message{};
    message.msg_iov = op.vectors;
    std::size_t room = bytes_of_a_try;
    iovec* last = nullptr;
    std::size_t length_of_last = 0;
    for (std::size_t count = 0; room > 0 && count < std::min<std::size_t>(op.length, IOV_MAX); ++count) {
        last = &op.vectors[count];
        length_of_last = last->iov_len;
        last->iov_len = std::min(last->iov_len, room);
        room -= last->iov_len;
        ++message.msg_iovlen;
    }
    const std::int64_t answer = uninterrupted(
        [&] { return system_call::sendmsg(op.descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
    if (last != nullptr) {
        last->iov_len = length_of_last;
    }
    return answer;
}

bool attempt_send_vectors(operation& op, readiness& ready) noexcept {
    for (std::size_t moved = 0;;) {
        const std::int64_t answer = send_first_vectors(op);
        if (answer < 0) {
            return complete_unless_blocked(op, answer, ready.writable);
        }
        op.transferred += answer;
        moved += static_cast<std::size_t>(answer);
        advance_vectors(op, static_cast<std::size_t>(answer));
        if (!op.whole || op.length == 0) {
            return complete(op, op.transferred);
        }
        if (moved >= bytes_of_a_try) {
            return false;
        }
    }
}

}  // namespace

bool attempt_recv(operation& op, readiness& ready) noexcept {
    for (std::size_t moved = 0;;) {
        const auto done = static_cast<std::size_t>(op.transferred);
        const std::size_t wanted = std::min(op.length - done, bytes_of_a_try);
        const std::int64_t answer = uninterrupted(
            [&] { return system_call::recv(op.descriptor, op.buffer + done, wanted, MSG_DONTWAIT); });
        if (answer < 0) {
            return complete_unless_blocked(op, answer, ready.readable);
        }
        op.transferred += answer;
        moved += static_cast<std::size_t>(answer);
        const bool drained = static_cast<std::size_t>(answer) < wanted;
        if (drained && !ready.always_try) {
            ready.readable = false;
        }
        if (!op.whole || answer == 0 || static_cast<std::size_t>(op.transferred) == op.length) {
            return complete(op, op.transferred);
        }
        if (!ready.readable || moved >= bytes_of_a_try) {
            return false;
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

bool attempt_other(operation& op, readiness& ready) noexcept {
    switch (op.action) {
        case operation_kind::accept:
            return attempt_accept(op, ready);
        case operation_kind::recv_datagram:
            return attempt_recv_datagram(op, ready);
        case operation_kind::recv_datagrams:
            return attempt_recv_datagrams(op, ready);
        case operation_kind::connect:
            return attempt_connect(op, ready);
        case operation_kind::send_vectors:
            return attempt_send_vectors(op, ready);
        case operation_kind::send_datagram:
            return attempt_send_datagram(op, ready);
        case operation_kind::send_datagrams:
            return attempt_send_datagrams(op, ready);
        case operation_kind::recv:
        case operation_kind::recv_chunk:
        case operation_kind::send:
        case operation_kind::readable:
        case operation_kind::writable:
        case operation_kind::file:
            return false;
    }
    return false;
}

bool recv_slow_path(operation& op, readiness& ready, slab_pool& pool, slab_pool::lease lease,
                    std::int64_t answer) noexcept {
    while (answer < 0 && errno == EINTR) {
        answer = recv_into(op, lease);
    }
    if (answer <= 0) {
        const int error = errno;
        pool.release(lease.buffer, lease.index);
        return answer == 0 ? complete(op, 0) : complete_unless_blocked(op, -error, ready.readable);
    }
    ready.readable = answer == slab_pool::buffer_size || ready.always_try;
    ready.growth.note(static_cast<std::size_t>(answer), slab_pool::buffer_size);
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

bool attempt_recv_large(operation& op, readiness& ready, slab_pool& pool) noexcept {
    const slab_pool::lease lease = pool.take_for(ready.growth);
    if (lease.buffer == nullptr) {
        return complete(op, -ENOMEM);
    }
    const std::size_t size = slab_pool::size_of(lease);
    const std::int64_t answer =
        uninterrupted([&] { return system_call::recv(op.descriptor, lease.buffer, size, MSG_DONTWAIT); });
    if (answer <= 0) {
        pool.release(lease.buffer, lease.index);
        return complete_unless_blocked(op, answer, ready.readable);
    }
    const auto received = static_cast<std::size_t>(answer);
    ready.readable = received == size || ready.always_try;
    ready.growth.note(received, size);
    op.transferred = answer;
    op.deliver(pool, lease.buffer, lease.index, answer);
    return true;
}

bool sent_otherwise(operation& op, readiness& ready, std::int64_t answer) noexcept {
    for (std::size_t moved = 0;; answer = send_rest(op)) {
        if (answer >= 0) {
            op.transferred += answer;
            moved += static_cast<std::size_t>(answer);
            if (static_cast<std::size_t>(op.transferred) == op.length || !op.whole) {
                return complete(op, op.transferred);
            }
            if (moved >= bytes_of_a_try) {
                return false;
            }
        } else if (errno != EINTR) {
            return complete_unless_blocked(op, -errno, ready.writable);
        }
    }
}

}  // namespace leat::detail
