// SPDX-License-Identifier: MIT
#include <leat/backends/readiness.hpp>

#include <algorithm>

#include <limits.h>

namespace leat {

namespace {

// Calls `call` until it is not interrupted; its answer, or a negated errno.
template <typename Call>
std::int64_t uninterrupted(Call call) {
    for (;;) {
        const std::int64_t answer = call();
        if (answer >= 0) {
            return answer;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

bool would_block(std::int64_t answer) noexcept {
    return answer == -EAGAIN || answer == -EWOULDBLOCK;
}

bool complete(operation& op, std::int64_t result) noexcept {
    op.result = result;
    return true;
}

bool accept(operation& op, readiness& ready) {
    const std::int64_t answer = uninterrupted([&] {
        auto size = static_cast<socklen_t>(op.length);
        return ::accept4(op.descriptor, op.address, op.address != nullptr ? &size : nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
    if (would_block(answer)) {
        ready.readable = false;
        return false;
    }
    return complete(op, answer);
}

bool connect(operation& op, readiness& ready) {
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

bool recv(operation& op, readiness& ready) {
    for (;;) {
        const auto done = static_cast<std::size_t>(op.transferred);
        const std::size_t wanted = op.length - done;
        const std::int64_t answer =
            uninterrupted([&] { return ::recv(op.descriptor, op.buffer + done, wanted, MSG_DONTWAIT); });
        if (would_block(answer)) {
            ready.readable = false;
            return false;
        }
        if (answer < 0) {
            return complete(op, answer);
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

bool recv_chunk(operation& op, readiness& ready, slab_pool& pool) {
    const slab_pool::lease lease = pool.take();
    const std::int64_t answer = uninterrupted(
        [&] { return ::recv(op.descriptor, lease.buffer, slab_pool::buffer_size, MSG_DONTWAIT); });
    if (answer <= 0) {
        pool.release(lease.buffer, lease.index);
        if (would_block(answer)) {
            ready.readable = false;
            return false;
        }
        return complete(op, answer);
    }
    if (answer < slab_pool::buffer_size && !ready.hung_up) {
        ready.readable = false;
    }
    op.received = chunk(pool, lease.buffer, lease.index, static_cast<std::uint32_t>(answer));
    return complete(op, answer);
}

// Drops the first `count` bytes from `vectors`; returns how many vectors are used up.
std::size_t advance(iovec* vectors, std::size_t used, std::size_t length, std::size_t count) noexcept {
    while (used < length && count >= vectors[used].iov_len) {
        count -= vectors[used].iov_len;
        ++used;
    }
    if (used < length) {
        vectors[used].iov_base = static_cast<std::byte*>(vectors[used].iov_base) + count;
        vectors[used].iov_len -= count;
    }
    return used;
}

// One send; MSG_NOSIGNAL because a closed peer is an error here, never a signal.
std::int64_t send_some(operation& op) {
    return uninterrupted([&]() -> std::int64_t {
        if (op.action == operation_kind::send) {
            const auto done = static_cast<std::size_t>(op.transferred);
            return ::send(op.descriptor, op.buffer + done, op.length - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        msghdr message{};
        message.msg_iov = op.vectors;
        message.msg_iovlen = std::min<std::size_t>(op.length, IOV_MAX);
        return ::sendmsg(op.descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    });
}

bool send(operation& op, readiness& ready) {
    for (;;) {
        const std::int64_t answer = send_some(op);
        if (would_block(answer)) {
            ready.writable = false;
            return false;
        }
        if (answer < 0) {
            return complete(op, answer);
        }
        op.transferred += answer;
        bool all = false;
        if (op.action == operation_kind::send) {
            all = static_cast<std::size_t>(op.transferred) == op.length;
        } else {
            const std::size_t used = advance(op.vectors, 0, op.length, static_cast<std::size_t>(answer));
            op.vectors += used;
            op.length -= used;
            all = op.length == 0;
        }
        if (all || !op.whole) {
            return complete(op, op.transferred);
        }
    }
}

}  // namespace

bool attempt(operation& op, readiness& ready, slab_pool& pool) {
    switch (op.action) {
        case operation_kind::accept:
            return ready.readable && accept(op, ready);
        case operation_kind::recv:
            return ready.readable && recv(op, ready);
        case operation_kind::recv_chunk:
            return ready.readable && recv_chunk(op, ready, pool);
        case operation_kind::connect:
            return connect(op, ready);
        case operation_kind::send:
        case operation_kind::send_vectors:
            return ready.writable && send(op, ready);
        case operation_kind::readable:
        case operation_kind::writable:
            return false;
    }
    return false;
}

}  // namespace leat
