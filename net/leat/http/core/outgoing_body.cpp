// SPDX-License-Identifier: MIT
#include <leat/http/core/outgoing_body.hpp>

#include <leat/check.hpp>
#include <leat/http/error.hpp>
#include <leat/http/request_error.hpp>

#include <string>
#include <utility>

namespace leat::http::detail {

void outgoing_body::begin() {
    check(can_begin(), "a body that can be sent once is sent once");
    given_bytes_ = 0;
    begun_ = false;
    failure_ = nullptr;
    if (given_.maker_ != nullptr) {
        source_ = given_.maker_->make();
    } else if (given_.source_ != nullptr) {
        source_ = std::move(given_.source_);
        source_once_ = true;
    }
}

task<std::optional<std::string_view>> outgoing_body::ask_source() {
    try {
        co_return co_await source_->next();
    } catch (...) {
        failure_ = std::current_exception();
        throw;
    }
}

task<std::string_view> outgoing_body::next() {
    if (given_.bytes_) {
        const bool first = !std::exchange(begun_, true);
        co_return first ? std::string_view(*given_.bytes_) : std::string_view();
    }
    std::optional<std::string_view> piece;
    do {
        piece = co_await ask_source();
    } while (piece && piece->empty());
    given_bytes_ += piece ? piece->size() : 0;
    if (given_.size_ && (given_bytes_ > *given_.size_ || (!piece && given_bytes_ < *given_.size_))) {
        const std::string found =
            piece ? "more than the " : "only " + std::to_string(given_bytes_) + " of the ";
        throw request_error(
            error::body_length_differs,
            "the body of the request has " + found + std::to_string(*given_.size_) + " bytes that were told");
    }
    co_return piece.value_or(std::string_view());
}

}  // namespace leat::http::detail
