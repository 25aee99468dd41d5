// SPDX-License-Identifier: MIT
// What writes: write, writev, send, sendto, sendmsg, sendmmsg. A call on a descriptor that blocks goes on
// until all is written, as the kernel's own does; an error after a part of it is left to the next call.
#include <leat/fd.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/iovec_rest.hpp>

#include <climits>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace leat::detail {

namespace {

// Whether the call has failed because it has begun to connect (MSG_FASTOPEN, TCP_FASTOPEN_CONNECT: tcp(7)):
// it waits until that is done, and then writes what has not gone with it.
bool has_begun_to_connect(int fd) noexcept {
    if (errno != EINPROGRESS || is_nonblocking(fd)) [[likely]] {
        return false;
    }
    errno = EAGAIN;
    return true;
}

// Calls attempt(buffers, is_first), which writes without waiting, until all of `from` is written.
template <typename Attempt>
ssize_t write_to_the_end(int fd, std::span<const iovec> from, Attempt attempt) {
    descriptor_call call(fd, direction::out);
    if (call.refused()) {
        return -1;
    }
    const std::size_t whole = size_of(from);
    iovec_rest left(from);
    std::span<const iovec> next = from;
    std::size_t written = 0;
    for (bool is_first = true;;) {
        const ssize_t some = attempt(next, is_first);
        is_first = is_first && some < 0 && !has_begun_to_connect(fd);
        if (some < 0 && (errno != EAGAIN || !call.wait())) {
            return written > 0 ? call.done(static_cast<ssize_t>(written)) : -1;
        }
        if (some >= 0) {
            written += static_cast<std::size_t>(some);
            if (written >= whole || !call.wait_for_rest()) {
                return call.done(static_cast<ssize_t>(written));
            }
            left.advance(static_cast<std::size_t>(some));
            next = left.first();
        }
    }
}

// send(2) where it does; it is cheaper than sendmsg(2).
ssize_t send_bytes(int fd, std::span<const iovec> from, int flags) {
    if (from.size() == 1) [[likely]] {
        return real.send(fd, from.front().iov_base, from.front().iov_len, flags);
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    return real.sendmsg(fd, &message, flags);
}

ssize_t send_message(int fd, const msghdr& message, int flags) {
    const auto attempt = [&](std::span<const iovec> from, bool is_first) {
        if (is_first) {
            return real.sendmsg(fd, &message, flags | MSG_DONTWAIT);
        }
        // Control data and address have gone with the first bytes.
        return send_bytes(fd, from, (flags & ~MSG_FASTOPEN) | MSG_DONTWAIT | MSG_NOSIGNAL);
    };
    return write_to_the_end(fd, {message.msg_iov, message.msg_iovlen}, attempt);
}

// How a descriptor can be written without waiting: found by trying.
enum class way_to_write : std::uint8_t { as_socket, without_waiting, when_ready };

// A terminal that is ready may have room for one byte only. Through another description of it, which does not
// block, it takes what it has room for.
ssize_t write_to_terminal(int fd, std::span<const iovec> from) {
    char name[32];
    (void)std::snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const leat::fd other(::open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    return real.writev(other ? other.get() : fd, from.data(), static_cast<int>(from.size()));
}

// So much of `from` as surely does not wait when poll(2) says that the descriptor is ready: a pipe takes
// PIPE_BUF bytes then.
ssize_t write_ready(int fd, std::span<const iovec> from) {
    const int count = static_cast<int>(from.size());
    if (is_file(fd)) {
        return real.writev(fd, from.data(), count);
    }
    if (!is_ready(fd, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    if (::isatty(fd) != 0) {
        return write_to_terminal(fd, from);
    }
    if (size_of(from) <= PIPE_BUF) {
        return real.writev(fd, from.data(), count);
    }
    while (from.size() > 1 && from.front().iov_len == 0) {
        from = from.subspan(1);
    }
    return real.write(fd, from.front().iov_base, std::min<std::size_t>(from.front().iov_len, PIPE_BUF));
}

ssize_t attempt_write(int fd, std::span<const iovec> from, bool is_first, way_to_write& way) {
    if (way == way_to_write::as_socket) {
        const ssize_t sent = send_bytes(fd, from, is_first ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0 || errno != ENOTSOCK) {
            return sent;
        }
        way = way_to_write::without_waiting;
    }
    if (way == way_to_write::without_waiting) {
        const int count = static_cast<int>(from.size());
        const ssize_t written = real.pwritev2(fd, from.data(), count, -1, RWF_NOWAIT);
        if (written < 0 && errno == EAGAIN && is_file(fd)) {
            return real.writev(fd, from.data(), count);
        }
        if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) {
            return written;
        }
        way = way_to_write::when_ready;
    }
    return write_ready(fd, from);
}

ssize_t write_from(int fd, std::span<const iovec> from) {
    const auto attempt = [fd, way = way_to_write::as_socket](std::span<const iovec> next,
                                                             bool is_first) mutable {
        return attempt_write(fd, next, is_first, way);
    };
    return write_to_the_end(fd, from, attempt);
}

}  // namespace

extern "C" {

ssize_t leat_write(int fd, const void* from, std::size_t size) {
    if (!in_fibre() || size == 0) [[likely]] {
        return real.write(fd, from, size);
    }
    const iovec all{.iov_base = const_cast<void*>(from), .iov_len = size};
    return write_from(fd, {&all, 1});
}

ssize_t leat_writev(int fd, const iovec* from, int count) {
    if (!in_fibre() || count <= 0 || count > IOV_MAX || size_of({from, static_cast<std::size_t>(count)}) == 0)
        [[likely]] {
        return real.writev(fd, from, count);
    }
    return write_from(fd, {from, static_cast<std::size_t>(count)});
}

ssize_t leat_send(int fd, const void* from, std::size_t size, int flags) {
    if (!in_fibre() || (flags & MSG_DONTWAIT) != 0) [[likely]] {
        return real.send(fd, from, size, flags);
    }
    const iovec all{.iov_base = const_cast<void*>(from), .iov_len = size};
    return write_to_the_end(fd, {&all, 1}, [fd, flags](std::span<const iovec> next, bool is_first) {
        return send_bytes(fd, next, flags | MSG_DONTWAIT | (is_first ? 0 : MSG_NOSIGNAL));
    });
}

ssize_t leat_sendto(int fd, const void* from, std::size_t size, int flags, const sockaddr* to,
                    socklen_t to_size) {
    if (!in_fibre() || (flags & MSG_DONTWAIT) != 0) [[likely]] {
        return real.sendto(fd, from, size, flags, to, to_size);
    }
    iovec all{.iov_base = const_cast<void*>(from), .iov_len = size};
    msghdr message{};
    message.msg_iov = &all;
    message.msg_iovlen = 1;
    message.msg_name = const_cast<sockaddr*>(to);
    message.msg_namelen = to_size;
    return send_message(fd, message, flags);
}

ssize_t leat_sendmsg(int fd, const msghdr* message, int flags) {
    if (!in_fibre() || (flags & MSG_DONTWAIT) != 0) [[likely]] {
        return real.sendmsg(fd, message, flags);
    }
    return send_message(fd, *message, flags);
}

int leat_sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
    if (!in_fibre() || (flags & MSG_DONTWAIT) != 0) [[likely]] {
        return real.sendmmsg(fd, messages, count, flags);
    }
    unsigned sent = 0;
    while (sent < std::min<unsigned>(count, IOV_MAX)) {
        const ssize_t size = send_message(fd, messages[sent].msg_hdr, flags);
        if (size < 0) {
            return sent > 0 ? static_cast<int>(sent) : -1;
        }
        messages[sent++].msg_len = static_cast<unsigned>(size);
    }
    return static_cast<int>(sent);
}

decltype(leat_send) interposed_send __asm__("send") __attribute__((alias("leat_send")));
decltype(leat_sendmmsg) interposed_sendmmsg __asm__("sendmmsg") __attribute__((alias("leat_sendmmsg")));
decltype(leat_sendmsg) interposed_sendmsg __asm__("sendmsg") __attribute__((alias("leat_sendmsg")));
decltype(leat_sendto) interposed_sendto __asm__("sendto") __attribute__((alias("leat_sendto")));
decltype(leat_write) interposed_write __asm__("write") __attribute__((alias("leat_write")));
decltype(leat_writev) interposed_writev __asm__("writev") __attribute__((alias("leat_writev")));
}

}  // namespace leat::detail
