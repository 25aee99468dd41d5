// SPDX-License-Identifier: MIT
// message_reader: reads a DNS message (RFC 1035 4.1) from its beginning, without following the pointers of
// compressed names: its header, its questions, then each record. Used by answer_check and negative_answer.
//
// Invariant: everything is empty once the message has ended too early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace leat::detail {

inline constexpr unsigned dns_type_a = 1;
inline constexpr unsigned dns_type_soa = 6;
inline constexpr unsigned dns_type_aaaa = 28;

struct message_header {
    unsigned flags;
    unsigned questions;
    unsigned answers;
    unsigned authorities;
};

// What stands before the data of a record.
struct record_head {
    unsigned type;
    std::uint32_t lives;  // seconds
    unsigned size;        // of the data
};

class message_reader {
public:
    explicit message_reader(std::span<const std::byte> message) noexcept : rest_(message) {}

    [[nodiscard]] bool skip(std::size_t count) noexcept {
        if (count > rest_.size()) {
            rest_ = {};
            return false;
        }
        rest_ = rest_.subspan(count);
        return true;
    }
    // Of 16 bits.
    [[nodiscard]] std::optional<unsigned> number() noexcept {
        if (rest_.size() < 2) {
            rest_ = {};
            return std::nullopt;
        }
        const auto high = std::to_integer<unsigned>(rest_[0]);
        const auto low = std::to_integer<unsigned>(rest_[1]);
        rest_ = rest_.subspan(2);
        return high << 8 | low;
    }
    [[nodiscard]] std::optional<std::uint32_t> long_number() noexcept {
        const auto high = number();
        const auto low = number();
        return high && low ? std::optional<std::uint32_t>(*high << 16 | *low) : std::nullopt;
    }
    // A name ends with an empty label, or with a pointer of two bytes to the rest of it.
    [[nodiscard]] bool skip_name() noexcept {
        while (!rest_.empty()) {
            const auto size = std::to_integer<std::size_t>(rest_[0]);
            if (size == 0) {
                return skip(1);
            }
            if (size >= 0xc0) {
                return skip(2);
            }
            if (!skip(1 + size)) {
                return false;
            }
        }
        return false;
    }

    [[nodiscard]] std::optional<message_header> header() noexcept {
        (void)number();  // its id
        const auto flags = number();
        const auto questions = number();
        const auto answers = number();
        const auto authorities = number();
        const auto others = number();
        return others ? std::optional<message_header>({*flags, *questions, *answers, *authorities})
                      : std::nullopt;
    }
    [[nodiscard]] bool skip_questions(unsigned count) noexcept {
        for (unsigned i = 0; i < count; ++i) {
            if (!skip_name() || !skip(4)) {
                return false;
            }
        }
        return true;
    }
    // The type that is asked for.
    [[nodiscard]] std::optional<unsigned> question() noexcept {
        if (!skip_name()) {
            return std::nullopt;
        }
        const auto type = number();
        const auto of_class = number();
        return of_class ? type : std::nullopt;
    }
    [[nodiscard]] std::optional<record_head> record() noexcept {
        if (!skip_name()) {
            return std::nullopt;
        }
        const auto type = number();
        (void)number();  // its class
        const auto lives = long_number();
        const auto size = number();
        return size ? std::optional<record_head>({*type, *lives, *size}) : std::nullopt;
    }

private:
    std::span<const std::byte> rest_;
};

}  // namespace leat::detail
