// SPDX-License-Identifier: MIT
// iovec_rest: what is left of a list of buffers of which a part has been moved. For the hooks beside this
// folder. Invariant: the caller's list is not changed; a window of its rest is copied, so no memory is
// needed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include <sys/uio.h>

namespace leat::detail {

[[nodiscard]] inline std::size_t size_of(std::span<const iovec> all) noexcept {
    std::size_t size = 0;
    for (const iovec& each : all) {
        size += each.iov_len;
    }
    return size;
}

class iovec_rest {
public:
    explicit iovec_rest(std::span<const iovec> all) noexcept : all_(all) {}

    // Leaves out `moved` bytes more.
    void advance(std::size_t moved) noexcept {
        moved += begun_;
        while (!all_.empty() && moved >= all_.front().iov_len) {
            moved -= all_.front().iov_len;
            all_ = all_.subspan(1);
        }
        begun_ = moved;
    }

    // The first of what is left; good until the next call.
    [[nodiscard]] std::span<iovec> first() noexcept {
        const std::size_t count = std::min(all_.size(), window_.size());
        std::copy_n(all_.begin(), count, window_.begin());
        if (count > 0) {
            window_[0].iov_base = static_cast<std::byte*>(window_[0].iov_base) + begun_;
            window_[0].iov_len -= begun_;
        }
        return std::span(window_).first(count);
    }

private:
    std::span<const iovec> all_;
    std::size_t begun_ = 0;  // bytes of the first that are done
    std::array<iovec, 8> window_;
};

}  // namespace leat::detail
