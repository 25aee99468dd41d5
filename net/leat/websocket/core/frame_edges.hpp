// SPDX-License-Identifier: MIT
// frame_edges: where the frames of a WebSocket begin and end in the bytes that come (RFC 6455 5.2), for the
// session, so that wslay gets no byte of a frame before that in front of it is done. Invariant: what take()
// gives ends at the latest with the head, or with the payload, of one frame.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::websocket::detail {

class frame_edges {
public:
    // How many bytes of `input` come next, at most `room` of them.
    [[nodiscard]] std::size_t take(std::string_view input, std::size_t room) noexcept {
        if (payload_ != 0) {
            const auto size =
                static_cast<std::size_t>(std::min<std::uint64_t>(payload_, std::min(room, input.size())));
            payload_ -= size;
            return size;
        }
        const std::size_t size = std::min({head_length() - head_size_, room, input.size()});
        std::copy_n(input.begin(), size, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
        head_size_ += size;
        if (head_size_ > 1 && head_size_ == head_length()) {
            payload_ = payload_length();
            head_size_ = 0;
        }
        return size;
    }

private:
    // As far as it is known: its second byte tells.
    [[nodiscard]] std::size_t head_length() const noexcept {
        return head_size_ < 2 ? 2 : 2 + length_bytes() + (is_masked() ? 4 : 0);
    }
    [[nodiscard]] bool is_masked() const noexcept { return (head_[1] & 0x80) != 0; }
    [[nodiscard]] std::size_t length_bytes() const noexcept {
        const int code = head_[1] & 0x7f;
        return code == 127 ? 8 : code == 126 ? 2 : 0;
    }
    [[nodiscard]] std::uint64_t payload_length() const noexcept {
        if (length_bytes() == 0) {
            return static_cast<std::uint64_t>(head_[1] & 0x7f);
        }
        std::uint64_t length = 0;
        for (std::size_t at = 2; at < 2 + length_bytes(); ++at) {
            length = length << 8 | static_cast<unsigned char>(head_[at]);
        }
        return length;
    }

    std::array<char, 14> head_{};
    std::size_t head_size_ = 0;  // of it have come
    std::uint64_t payload_ = 0;  // still to come
};

}  // namespace leat::websocket::detail
