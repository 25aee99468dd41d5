// SPDX-License-Identifier: MIT
// simulated_sockets: the calls that do not wait, on the simulated network.
#pragma once

#include <leat/backends/simulated/network.hpp>

namespace leat {

class simulated_sockets final : public socket_calls {
public:
    explicit simulated_sockets(simulated_network& network) noexcept : network_(network) {}

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

private:
    simulated_network& network_;
};

// What is wrong with a descriptor at which no simulated socket is open: a kernel's is not supported.
[[nodiscard]] constexpr int error_of_descriptor(int fd) noexcept {
    return fd < 0 || fd >= simulated_descriptors ? EBADF : EOPNOTSUPP;
}

}  // namespace leat
