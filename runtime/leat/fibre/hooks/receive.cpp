// SPDX-License-Identifier: MIT
// What reads: read, readv, recv, recvfrom, recvmsg, recvmmsg.
#include <leat/core/scheduler.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/fibre/hooks/core/iovec_rest.hpp>

#include <sys/uio.h>

namespace leat::detail {

namespace {

using namespace std::chrono_literals;

// Calls with these flags do not wait, whatever the descriptor.
constexpr int never_waiting = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB;

bool is_byte_stream(int fd) noexcept {
    int kind = 0;
    socklen_t size = sizeof kind;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_STREAM;
}

bool is_unix_socket(int fd) noexcept {
    int family = 0;
    socklen_t size = sizeof family;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

// What one more part of a message has brought beside its bytes. The first control data stay: there is no room
// for others. Descriptors and credentials end the message, as in the kernel: what follows is another's.
bool goes_on_after(int fd, msghdr& message, const msghdr& part) noexcept {
    if (&part != &message && part.msg_controllen > 0) {
        message.msg_controllen = part.msg_controllen;
        message.msg_flags = part.msg_flags;
    }
    return part.msg_controllen == 0 || !is_unix_socket(fd);
}

// recvmsg with MSG_WAITALL, of a byte stream.
ssize_t receive_all(int fd, msghdr& message, int flags) {
    descriptor_call call(fd, direction::in);
    if (call.refused()) {
        return -1;
    }
    const std::span<const iovec> buffers(message.msg_iov, message.msg_iovlen);
    const std::size_t wanted = size_of(buffers);
    const std::size_t control_room = message.msg_controllen;
    iovec_rest left(buffers);
    msghdr next = message;
    std::size_t got = 0;
    for (;;) {
        msghdr& part = got == 0 ? message : next;
        const ssize_t some = real.recvmsg(fd, &part, flags | MSG_DONTWAIT);
        if (some < 0 && (errno != EAGAIN || !call.wait())) {
            return got > 0 ? call.done(static_cast<ssize_t>(got)) : -1;
        }
        if (some >= 0) {
            got += static_cast<std::size_t>(some);
            if (some == 0 || !goes_on_after(fd, message, part) || got >= wanted || !call.wait_for_rest()) {
                return call.done(static_cast<ssize_t>(got));
            }
            left.advance(static_cast<std::size_t>(some));
            const std::span<iovec> rest = left.first();
            next.msg_iov = rest.data();
            next.msg_iovlen = rest.size();
            next.msg_name = nullptr;
            next.msg_namelen = 0;
            next.msg_controllen = message.msg_controllen == 0 ? control_room : 0;
        }
    }
}

// The same with MSG_PEEK. What is there already makes the descriptor ready, so nothing tells of more: it is
// looked at again and again.
ssize_t peek_all(int fd, msghdr& message, int flags) {
    descriptor_call call(fd, direction::in);
    if (call.refused()) {
        return -1;
    }
    const msghdr asked = message;
    const auto wanted = static_cast<ssize_t>(size_of({message.msg_iov, message.msg_iovlen}));
    for (bool more_may_come = true;;) {
        message = asked;
        const ssize_t some = real.recvmsg(fd, &message, flags | MSG_DONTWAIT);
        if (some < 0 && (errno != EAGAIN || !call.wait())) {
            return -1;
        }
        if (some == 0 || some >= wanted || (some > 0 && (!more_may_come || is_nonblocking(fd)))) {
            return call.done(some);
        }
        if (some > 0) {
            pollfd ended{.fd = fd, .events = POLLRDHUP, .revents = 0};
            const time_point soon = std::min(after(now(), 1ms), call.deadline());
            more_may_come = wait_for_descriptors({&ended, 1}, soon) == fibre_wait_end::timed_out &&
                            now() < call.deadline();
        }
    }
}

ssize_t receive(int fd, msghdr* message, int flags) {
    if ((flags & MSG_WAITALL) != 0 && is_byte_stream(fd)) {
        if ((flags & MSG_PEEK) == 0) {
            return receive_all(fd, *message, flags);
        }
        if (message->msg_controllen == 0) {  // each look would open the descriptors that come along
            return peek_all(fd, *message, flags);
        }
    }
    return try_until_ready(fd, direction::in,
                           [&] { return real.recvmsg(fd, message, flags | MSG_DONTWAIT); });
}

// What is not in memory is read from the disk, as by any call on a file, behind the `got` bytes that were.
ssize_t read_rest_of_file(int fd, std::span<const iovec> into, std::size_t got) {
    iovec_rest left(into);
    for (std::size_t some = got;;) {
        left.advance(some);
        const std::span<const iovec> rest = left.first();
        const ssize_t more = rest.empty() ? 0 : real.readv(fd, rest.data(), static_cast<int>(rest.size()));
        if (more <= 0) {
            return got > 0 ? static_cast<ssize_t>(got) : more;
        }
        some = static_cast<std::size_t>(more);
        got += some;
    }
}

// How a descriptor can be read without waiting: found by trying.
enum class way_to_read : std::uint8_t { as_socket, without_waiting, when_ready };

ssize_t attempt_read(int fd, std::span<const iovec> into, way_to_read& way) {
    if (way == way_to_read::as_socket) {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(into.data());
        message.msg_iovlen = into.size();
        const ssize_t got = into.size() == 1
                                ? real.recv(fd, into.front().iov_base, into.front().iov_len, MSG_DONTWAIT)
                                : real.recvmsg(fd, &message, MSG_DONTWAIT);
        if (got >= 0 || errno != ENOTSOCK) {
            return got;
        }
        way = way_to_read::without_waiting;
    }
    const int count = static_cast<int>(into.size());
    if (way == way_to_read::without_waiting) {
        const ssize_t got = real.preadv2(fd, into.data(), count, -1, RWF_NOWAIT);
        const bool is_short = got < 0 ? errno == EAGAIN : static_cast<std::size_t>(got) < size_of(into);
        if (is_short && is_file(fd)) {
            return read_rest_of_file(fd, into, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        }
        if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) {
            return got;
        }
        way = way_to_read::when_ready;
    }
    if (!is_ready(fd, POLLIN)) {
        errno = EAGAIN;
        return -1;
    }
    return real.readv(fd, into.data(), count);
}

ssize_t read_into(int fd, std::span<const iovec> into) {
    return try_until_ready(fd, direction::in, [&, way = way_to_read::as_socket]() mutable {
        return attempt_read(fd, into, way);
    });
}

}  // namespace

extern "C" {

ssize_t leat_read(int fd, void* buffer, std::size_t size) {
    if (!in_fibre() || size == 0) [[likely]] {
        return real.read(fd, buffer, size);
    }
    const iovec into{.iov_base = buffer, .iov_len = size};
    return read_into(fd, {&into, 1});
}

ssize_t leat_readv(int fd, const iovec* into, int count) {
    if (!in_fibre() || count <= 0 || count > IOV_MAX || size_of({into, static_cast<std::size_t>(count)}) == 0)
        [[likely]] {
        return real.readv(fd, into, count);
    }
    return read_into(fd, {into, static_cast<std::size_t>(count)});
}

ssize_t leat_recv(int fd, void* buffer, std::size_t size, int flags) {
    if (!in_fibre() || (flags & never_waiting) != 0) [[likely]] {
        return real.recv(fd, buffer, size, flags);
    }
    if ((flags & MSG_WAITALL) != 0) {
        return leat_recvfrom(fd, buffer, size, flags, nullptr, nullptr);
    }
    return try_until_ready(fd, direction::in,
                           [&] { return real.recv(fd, buffer, size, flags | MSG_DONTWAIT); });
}

ssize_t leat_recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                      socklen_t* from_size) {
    if (!in_fibre() || (flags & never_waiting) != 0) [[likely]] {
        return real.recvfrom(fd, buffer, size, flags, from, from_size);
    }
    if ((flags & MSG_WAITALL) != 0 && (from == nullptr || from_size != nullptr)) {
        iovec into{.iov_base = buffer, .iov_len = size};
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        message.msg_name = from;
        message.msg_namelen = from != nullptr ? *from_size : 0;
        const ssize_t got = receive(fd, &message, flags);
        if (got >= 0 && from != nullptr) {
            *from_size = message.msg_namelen;
        }
        return got;
    }
    return try_until_ready(fd, direction::in, [&] {
        return real.recvfrom(fd, buffer, size, flags | MSG_DONTWAIT, from, from_size);
    });
}

ssize_t leat_recvmsg(int fd, msghdr* message, int flags) {
    if (!in_fibre() || (flags & never_waiting) != 0) [[likely]] {
        return real.recvmsg(fd, message, flags);
    }
    return receive(fd, message, flags);
}

// With a time limit also the wait for the first message ends at it; the kernel's own looks at the limit only
// behind a message.
int leat_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
    if (!in_fibre() || (flags & never_waiting) != 0) [[likely]] {
        return real.recvmmsg(fd, messages, count, flags, timeout);
    }
    descriptor_call call(fd, direction::in);
    if (call.refused()) {
        return -1;
    }
    const time_point limit = timeout == nullptr
                                 ? never
                                 : after(now(), sum_of(std::chrono::seconds(timeout->tv_sec),
                                                       std::chrono::nanoseconds(timeout->tv_nsec)));
    unsigned got = 0;
    for (;;) {
        const int some = real.recvmmsg(fd, messages + got, count - got, flags | MSG_DONTWAIT, nullptr);
        if (some >= 0) {
            got += static_cast<unsigned>(some);
        }
        const bool enough = got >= count || (got > 0 && (flags & MSG_WAITFORONE) != 0) || now() >= limit;
        if ((some < 0 && errno != EAGAIN) || (some >= 0 && enough)) {
            return got > 0 || some >= 0 ? call.done(static_cast<int>(got)) : -1;
        }
        if (is_nonblocking(fd)) {
            return got > 0 ? call.done(static_cast<int>(got)) : some;
        }
        const time_point until = std::min(limit, call.deadline());
        if (!is_ready(wait_to_try(fd, POLLIN, until), EAGAIN)) {
            return got > 0 ? call.done(static_cast<int>(got)) : -1;
        }
    }
}

decltype(leat_read) interposed_read __asm__("read") __attribute__((alias("leat_read")));
decltype(leat_readv) interposed_readv __asm__("readv") __attribute__((alias("leat_readv")));
decltype(leat_recv) interposed_recv __asm__("recv") __attribute__((alias("leat_recv")));
decltype(leat_recvfrom) interposed_recvfrom __asm__("recvfrom") __attribute__((alias("leat_recvfrom")));
decltype(leat_recvmmsg) interposed_recvmmsg __asm__("recvmmsg") __attribute__((alias("leat_recvmmsg")));
decltype(leat_recvmsg) interposed_recvmsg __asm__("recvmsg") __attribute__((alias("leat_recvmsg")));
}

}  // namespace leat::detail
