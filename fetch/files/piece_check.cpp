// SPDX-License-Identifier: MIT
#include <fetch/files/piece_check.hpp>

#include <algorithm>

namespace fetch {

void piece_check::add(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset == 0) {
        digester_ = digester(wanted_->kind);
        passed_ = 0;
        ended_ = 0;
        wrong_.clear();
    }
    if (offset != passed_) {
        return;
    }
    while (!bytes.empty()) {
        const std::uint64_t room = wanted_->length - passed_ % wanted_->length;
        const auto now = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
        digester_.add(now);
        passed_ += now.size();
        bytes = bytes.subspan(now.size());
        if (passed_ % wanted_->length == 0) {
            end_piece();
        }
    }
}

bool piece_check::has_passed(std::uint64_t size) {
    if (passed_ == size && ended_ * wanted_->length < size) {
        end_piece();
    }
    return passed_ == size;
}

void piece_check::end_piece() {
    if (!is_right(ended_, digester_.end())) {
        wrong_.push_back(ended_);
    }
    ++ended_;
}

bool piece_check::fits(std::uint64_t size) const noexcept {
    const std::uint64_t length = wanted_->length;
    return wanted_->bytes.size() == size / length + (size % length == 0 ? 0 : 1);
}

byte_range piece_check::part_of(std::size_t piece, std::uint64_t size) const noexcept {
    const std::uint64_t begin = piece * wanted_->length;
    return {begin, std::min(begin + wanted_->length, size)};
}

bool piece_check::is_right(std::size_t piece, const digest& made) const noexcept {
    return piece < wanted_->bytes.size() && made.bytes == wanted_->bytes[piece];
}

}  // namespace fetch
