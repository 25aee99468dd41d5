// SPDX-License-Identifier: MIT
// cancel_reason: why something was cancelled, as the end of a sentence: "the client hung up". Scopes keep one
// for reason(), for the text of task_cancelled and for dumps. It is one pointer, so cancelling allocates
// nothing.
// Invariant: the words live as long as the program, because they were a string literal.
#pragma once

#include <string_view>

namespace leat {

class cancel_reason {
public:
    constexpr cancel_reason() noexcept = default;  // none: it is not cancelled
    consteval cancel_reason(const char* literal) : words_(std::string_view(literal).data()) {}

    [[nodiscard]] constexpr bool given() const noexcept { return words_ != nullptr; }
    [[nodiscard]] constexpr std::string_view text() const noexcept {
        return given() ? std::string_view(words_) : std::string_view();
    }
    [[nodiscard]] friend constexpr bool operator==(cancel_reason a, cancel_reason b) noexcept {
        return a.text() == b.text();
    }

    static const cancel_reason none, requested, deadline, error, ended;

private:
    const char* words_ = nullptr;
};

inline constexpr cancel_reason cancel_reason::none{};
inline constexpr cancel_reason cancel_reason::requested{"it was asked to end"};
inline constexpr cancel_reason cancel_reason::deadline{"its deadline passed"};
inline constexpr cancel_reason cancel_reason::error{"a sibling failed"};
inline constexpr cancel_reason cancel_reason::ended{"the run ended"};

}  // namespace leat
