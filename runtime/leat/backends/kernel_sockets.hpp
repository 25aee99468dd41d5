// SPDX-License-Identifier: MIT
// kernel_sockets: the socket calls that do not wait, as the real kernel answers them. Shared by every
// backend on a real kernel.
#pragma once

#include <leat/core/backend.hpp>

namespace leat {

class kernel_sockets final : public socket_calls {
public:
    result<int> open(int family, int type, int protocol) override;
    result<void> bind(int fd, const sockaddr* address, socklen_t size) override;
    result<void> listen(int fd, int backlog) override;
    result<void> shutdown(int fd, int how) override;
    result<void> set_option(int fd, int level, int name, std::span<const std::byte> value) override;
    result<std::size_t> option(int fd, int level, int name, std::span<std::byte> value) override;
    result<socklen_t> local_address(int fd, sockaddr_storage& address) override;
    result<socklen_t> remote_address(int fd, sockaddr_storage& address) override;
    bool is_quiet(int fd) noexcept override;
    std::size_t unsent(int fd) noexcept override;
    std::optional<std::uint64_t> received(int fd) noexcept override;
    result<std::size_t> send(int fd, std::span<const std::byte> bytes) override;
    result<std::size_t> send_message(int fd, const msghdr& message) override;
    result<std::size_t> send_file(int fd, int file, std::uint64_t offset, std::size_t size) override;
};

// CLOCK_MONOTONIC as a leat time point.
[[nodiscard]] time_point kernel_now() noexcept;

// getrandom(2).
[[nodiscard]] std::uint64_t kernel_random() noexcept;

}  // namespace leat
