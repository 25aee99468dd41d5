// SPDX-License-Identifier: MIT
#include <leat/http/request_body_reader.hpp>

#include <leat/http/error.hpp>

#include <algorithm>
#include <cstddef>

namespace leat::http {
namespace {

// What a client says of the size of its body is believed up to here.
constexpr std::uint64_t reserved_max = 64 * 1024;

}  // namespace

task<std::string_view> request_body_reader::read() {
    if (size().value_or(0) > limit_) {
        body_.refuse(error::body_too_large);
    }
    std::string_view piece = co_await body_.next();
    const std::uint64_t allowed = limit_ - std::min(limit_, bytes_read_);
    if (piece.size() > allowed) {
        // What the limit still allows comes out first, so that it does not matter how the body has come.
        body_.refuse(error::body_too_large);
        piece = piece.substr(0, static_cast<std::size_t>(allowed));
        if (piece.empty()) {
            co_return co_await body_.next();  // throws
        }
    }
    bytes_read_ += piece.size();
    co_return piece;
}

task<std::string> request_body_reader::read_all() {
    std::string all;
    if (const auto whole = size()) {
        all.reserve(static_cast<std::size_t>(std::min(*whole, reserved_max)));
    }
    for (;;) {
        const std::string_view piece = co_await read();
        if (piece.empty()) {
            co_return all;
        }
        all += piece;
    }
}

}  // namespace leat::http
