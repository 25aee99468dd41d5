// SPDX-License-Identifier: MIT
#include <leat/backends/kernel_sockets.hpp>

#include <leat/backends/sending_files.hpp>

#include <leat/core/standard_streams.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <ctime>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>

namespace leat {

namespace {

result<void> answer(int status) {
    return status == 0 ? result<void>() : result<void>(errno_code(errno));
}

template <typename Call>
result<std::size_t> sent(Call call) {
    ssize_t size = 0;
    do {
        size = call();
    } while (size < 0 && errno == EINTR);
    return size >= 0 ? result<std::size_t>(static_cast<std::size_t>(size)) : errno_code(errno);
}

}  // namespace

result<int> kernel_sockets::open(int family, int type, int protocol) {
    const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    return fd >= 0 ? result<int>(fd) : result<int>(errno_code(errno));
}

result<void> kernel_sockets::bind(int fd, const sockaddr* address, socklen_t size) {
    return answer(::bind(fd, address, size));
}

result<void> kernel_sockets::listen(int fd, int backlog) {
    return answer(::listen(fd, backlog));
}

result<void> kernel_sockets::shutdown(int fd, int how) {
    return answer(::shutdown(fd, how));
}

result<void> kernel_sockets::set_option(int fd, int level, int name, std::span<const std::byte> value) {
    return answer(::setsockopt(fd, level, name, value.data(), static_cast<socklen_t>(value.size())));
}

result<std::size_t> kernel_sockets::option(int fd, int level, int name, std::span<std::byte> value) {
    auto size = static_cast<socklen_t>(value.size());
    if (::getsockopt(fd, level, name, value.data(), &size) != 0) {
        return errno_code(errno);
    }
    return std::size_t{size};
}

result<socklen_t> kernel_sockets::local_address(int fd, sockaddr_storage& address) {
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return errno_code(errno);
    }
    return size;
}

result<socklen_t> kernel_sockets::remote_address(int fd, sockaddr_storage& address) {
    socklen_t size = sizeof address;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return errno_code(errno);
    }
    return size;
}

bool kernel_sockets::is_quiet(int fd) noexcept {
    pollfd looked{.fd = fd, .events = POLLIN, .revents = 0};  // a recv, MSG_PEEK too, would take an error
    return ::poll(&looked, 1, 0) == 0;
}

result<std::size_t> kernel_sockets::send(int fd, std::span<const std::byte> bytes) {
    return sent([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
}

result<std::size_t> kernel_sockets::send_message(int fd, const msghdr& message) {
    return sent([&] { return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

result<std::size_t> kernel_sockets::send_file(int fd, int file, std::uint64_t offset, std::size_t size) {
    if (!is_in_memory(file, offset, size)) {
        return errno_code(EAGAIN);
    }
    const without_sigpipe quiet;
    auto place = static_cast<off_t>(offset);
    return sent([&] { return ::sendfile(fd, file, &place, size); });
}

socket_calls& kernel_socket_calls() noexcept {
    // Never destroyed: static objects may have sockets. Before the first one of these, as before a run, no
    // standard stream is left closed whose number it would get.
    static kernel_sockets& calls = (detail::open_standard_streams(), *new kernel_sockets);
    return calls;
}

std::size_t kernel_sockets::unsent(int fd) noexcept {
    int bytes = 0;
    return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::optional<std::uint64_t> kernel_sockets::received(int fd) noexcept {
    // tcpi_bytes_received of the kernel's tcp_info, since Linux 4.1. That of the C library is older, and the
    // kernel's header cannot be included beside it.
    constexpr std::size_t place = 128;
    std::uint64_t bytes = 0;
    std::array<std::byte, place + sizeof bytes> info{};
    auto size = static_cast<socklen_t>(info.size());
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, info.data(), &size) != 0 || size < info.size()) {
        return std::nullopt;
    }
    std::memcpy(&bytes, info.data() + place, sizeof bytes);
    return bytes;
}

time_point kernel_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

std::uint64_t kernel_random() noexcept {
    std::uint64_t drawn = 0;
    // Up to 256 bytes are never short and never interrupted (random(7)).
    check(::getrandom(&drawn, sizeof drawn, 0) == sizeof drawn, "the kernel gives random bytes");
    return drawn;
}

}  // namespace leat
