// SPDX-License-Identifier: MIT
#include <fetch/list/line_splitter.hpp>

#include <algorithm>

namespace fetch {

void line_splitter::add(std::string_view bytes) noexcept {
    bytes_ = bytes;
    at_ = 0;
    line_feed_ = std::min(bytes.find('\n'), bytes.size());
    carriage_return_ = std::min(bytes.find('\r'), bytes.size());
}

// Where it is in bytes_, or its size. Each byte is looked at once for each of the two kinds.
std::size_t line_splitter::end_of_line() noexcept {
    if (line_feed_ < at_) {
        line_feed_ = std::min(bytes_.find('\n', at_), bytes_.size());
    }
    if (carriage_return_ < at_) {
        carriage_return_ = std::min(bytes_.find('\r', at_), bytes_.size());
    }
    return std::min(line_feed_, carriage_return_);
}

void line_splitter::hold(std::string_view text) {
    const std::size_t room = longest_ - held_.size();
    too_long_ = too_long_ || text.size() > room;
    held_ += text.substr(0, room);
}

void line_splitter::forget_given() noexcept {
    if (given_) {
        held_.clear();
        given_ = false;
    }
}

line_splitter::line line_splitter::made_of(std::string_view text) noexcept {
    const bool cut = too_long_ || text.size() > longest_;
    too_long_ = false;
    return {.text = text.substr(0, longest_), .number = ++number_, .too_long = cut};
}

std::optional<line_splitter::line> line_splitter::next() {
    forget_given();
    if (after_carriage_return_ && at_ < bytes_.size()) {
        at_ += bytes_[at_] == '\n' ? 1 : 0;
        after_carriage_return_ = false;
    }
    const std::size_t end = end_of_line();
    const std::string_view text = bytes_.substr(at_, end - at_);
    if (end == bytes_.size()) {
        hold(text);
        add({});
        return std::nullopt;
    }
    after_carriage_return_ = bytes_[end] == '\r';
    at_ = end + 1;
    if (held_.empty()) {
        return made_of(text);
    }
    hold(text);
    given_ = true;
    return made_of(held_);
}

std::optional<line_splitter::line> line_splitter::last() {
    forget_given();
    if (held_.empty()) {
        return std::nullopt;
    }
    given_ = true;
    return made_of(held_);
}

}  // namespace fetch
