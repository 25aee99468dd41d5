// SPDX-License-Identifier: MIT
// datagram_operation: an operation on one message with a header, the base of the awaiters of udp.hpp and
// unix_message.hpp. Its header lives here, where the kernel reads and writes it.
#pragma once

#include <leat/core/socket.hpp>

#include <cstddef>
#include <span>

namespace leat::detail {

class datagram_operation : public socket_operation {
public:
    datagram_operation(const wait_kind& what, operation_kind asked, socket_state& on, std::byte* data,
                       std::size_t size) noexcept
        : socket_operation(what, asked, on), bytes_{data, size} {}

protected:
    // The header of a message whose peer's address is `name`, or null.
    void address_to(void* name, socklen_t size) noexcept {
        header_.msg_name = name;
        header_.msg_namelen = size;
        header_.msg_iov = &bytes_;
        header_.msg_iovlen = 1;
    }
    bool begin_with(void* name, socklen_t size) {
        address_to(name, size);
        message = &header_;
        return begin();
    }
    [[nodiscard]] bool truncated() const noexcept { return (header_.msg_flags & MSG_TRUNC) != 0; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept {
        return {static_cast<std::byte*>(bytes_.iov_base), bytes_.iov_len};
    }

    msghdr header_{};

private:
    iovec bytes_;
};

}  // namespace leat::detail
