// SPDX-License-Identifier: MIT
// running_digests: several digests of the same bytes, from the start of a file on, as they pass. For the
// engine. Invariant: each has been given all bytes since begin().
#pragma once

#include <fetch/files/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace fetch {

class running_digests {
public:
    // Of no bytes, and of these kinds; what ran before is dropped. Throws what digester does.
    void begin(std::span<const digest_kind> kinds) {
        drop();
        for (const digest_kind each : kinds) {
            all_.emplace_back(each);
        }
    }
    void drop() noexcept {
        all_.clear();
        bytes_ = 0;
    }

    [[nodiscard]] bool are_running() const noexcept { return !all_.empty(); }
    // That were added.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

    void add(std::span<const std::byte> bytes) {
        for (digester& each : all_) {
            each.add(bytes);
        }
        bytes_ += bytes.size();
    }
    // In the order of their kinds; then none is running.
    [[nodiscard]] std::vector<digest> end() {
        std::vector<digest> made;
        for (digester& each : all_) {
            made.push_back(each.end());
        }
        drop();
        return made;
    }

private:
    std::vector<digester> all_;
    std::uint64_t bytes_ = 0;
};

}  // namespace fetch
