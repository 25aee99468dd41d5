// SPDX-License-Identifier: MIT
// h2_frame_scan: the heads of the frames that a peer of HTTP/2 sends, however its bytes are cut. h2_session
// and h2_client_session look at each before nghttp2 does, which tells of some frames only, and not of what it
// ignores.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace leat::http::detail {

struct h2_frame_head {
    std::uint32_t length = 0;
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::int32_t stream = 0;
    std::int32_t depends_on = -1;  // of a PRIORITY frame: on that stream
};

class h2_frame_scan {
public:
    // So many bytes come before the first head: a client's preface.
    explicit h2_frame_scan(std::size_t before = preface_size) noexcept : skip_(before) {}

    // The next head, whose bytes and those before it are taken off the front of `input`; nothing, and no
    // input is left, when it is not complete.
    [[nodiscard]] std::optional<h2_frame_head> next(std::span<const std::byte>& input) noexcept {
        const std::size_t skipped = std::min(skip_, input.size());
        skip_ -= skipped;
        input = input.subspan(skipped);
        for (;;) {
            const std::size_t taken = std::min(wanted() - size_, input.size());
            std::ranges::copy(input.first(taken), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
            size_ += taken;
            input = input.subspan(taken);
            if (size_ == wanted()) {
                return take();
            }
            if (input.empty()) {
                return std::nullopt;
            }
        }
    }

private:
    static constexpr std::size_t head_size = 9;  // RFC 9113 4.1
    static constexpr std::size_t preface_size = 24;
    static constexpr std::size_t priority_size = 5;
    static constexpr std::uint8_t priority = 2;

    [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t size) const noexcept {
        std::uint32_t made = 0;
        for (; size > 0; --size) {
            made = made << 8 | std::to_integer<std::uint32_t>(bytes_[at++]);
        }
        return made;
    }
    [[nodiscard]] std::int32_t stream(std::size_t at) const noexcept {
        return static_cast<std::int32_t>(number(at, 4) & 0x7fff'ffff);
    }
    [[nodiscard]] bool is_priority() const noexcept {
        return size_ >= head_size && number(3, 1) == priority && number(0, 3) == priority_size;
    }
    [[nodiscard]] std::size_t wanted() const noexcept { return is_priority() ? bytes_.size() : head_size; }

    h2_frame_head take() noexcept {
        h2_frame_head head{.length = number(0, 3),
                           .type = static_cast<std::uint8_t>(number(3, 1)),
                           .flags = static_cast<std::uint8_t>(number(4, 1)),
                           .stream = stream(5)};
        skip_ = head.length;
        if (is_priority()) {
            head.depends_on = stream(head_size);
            skip_ -= bytes_.size() - head_size;
        }
        size_ = 0;
        return head;
    }

    std::array<std::byte, head_size + 4> bytes_;
    std::size_t size_ = 0;  // of them, so far
    std::size_t skip_;      // bytes until the next head
};

}  // namespace leat::http::detail
