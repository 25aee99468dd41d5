// SPDX-License-Identifier: MIT
// choices: what the bytes of a fuzzer's input decide. And what its targets share that run tasks: one that may
// have been spawned, and the end of it.
#pragma once

#include <leat/check.hpp>
#include <leat/runtime.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

// A byte at a time; zeros behind the end of the input.
class choices {
public:
    choices(const unsigned char* data, std::size_t size) noexcept : at_(data), end_(data + size) {}
    [[nodiscard]] bool left() const noexcept { return at_ != end_; }
    unsigned byte() noexcept { return left() ? *at_++ : 0; }
    // A limit of zero gives zero.
    unsigned below(std::size_t limit) noexcept {
        return limit == 0 ? 0 : byte() % static_cast<unsigned>(limit);
    }
    // Most often none.
    double chance() noexcept { return byte() % 4 == 0 ? byte() / 300.0 : 0; }
    // From 1 to 32767, small ones more often.
    std::size_t size() noexcept {
        const unsigned exponent = below(15);
        return (std::size_t{1} << exponent) + byte() % (1U << exponent);
    }

private:
    const unsigned char* at_;
    const unsigned char* end_;
};

using some_task = std::optional<leat::handle<>>;

inline leat::task<> cancel_and_join(some_task& one) {
    if (one.has_value()) {
        one->cancel();
        const auto& ended = co_await one->join();
        leat::check(ended.cancelled() || ended.ok(), "no task fails");
        one.reset();
    }
}

// For run_options.report.
inline void nothing_is_reported(std::string_view line) {
    leat::check(false, std::string(line).c_str());
}

}  // namespace fuzz
