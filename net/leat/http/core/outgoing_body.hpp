// SPDX-License-Identifier: MIT
// outgoing_body: a request_body on its way: its pieces in order, from the start as often as it can be made,
// and the check that it is as long as was said. Used by the HTTP client.
#pragma once

#include <leat/http/request_body.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leat::http::detail {

class outgoing_body {
public:
    explicit outgoing_body(request_body given) noexcept : given_(std::move(given)) {}

    [[nodiscard]] bool exists() const noexcept {
        return given_.bytes_ || given_.maker_ != nullptr || given_.source_ != nullptr || source_once_;
    }
    // From now on there is none.
    void drop() noexcept { *this = outgoing_body(request_body()); }
    // Without: nobody knows yet.
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept {
        return given_.bytes_ ? std::optional<std::uint64_t>(given_.bytes_->size()) : given_.size_;
    }
    // The whole of it, if it is in memory.
    [[nodiscard]] const std::optional<std::string>& bytes() const noexcept { return given_.bytes_; }

    // Whether it can be sent from its start.
    [[nodiscard]] bool can_begin() const noexcept { return !source_once_; }
    // Goes to its start. Misuse unless it can.
    void begin();
    // The next piece, good until the next call; empty at the end. Throws what the source throws, and
    // request_error when the body is longer or shorter than was said.
    [[nodiscard]] task<std::string_view> next();
    // What the source has thrown.
    [[nodiscard]] const std::exception_ptr& failure() const noexcept { return failure_; }

private:
    [[nodiscard]] task<std::optional<std::string_view>> ask_source();

    request_body given_;
    std::unique_ptr<body_source> source_;
    std::exception_ptr failure_;
    std::uint64_t given_bytes_ = 0;
    bool begun_ = false;        // bytes of memory were given
    bool source_once_ = false;  // a source that could be sent once has begun
};

}  // namespace leat::http::detail
