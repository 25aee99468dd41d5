// SPDX-License-Identifier: MIT
#include <leat/http/response_writer.hpp>

#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/trailer_names.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/system/send_file.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace leat::http {

detail::body_filter::body_filter(response_writer& writer) noexcept
    : writer_(writer), next_(std::exchange(writer.filter_, this)) {}

detail::body_filter::~body_filter() {
    writer_.filter_ = next_;
}

response& detail::body_filter::head() const noexcept {
    return writer_.head_;
}

task<> detail::body_filter::pass_on(std::string_view piece) {
    return next_ != nullptr ? next_->write(piece) : writer_.write_unfiltered(piece);
}

task<> response_writer::write(std::string_view piece) {
    return filter_ != nullptr ? filter_->write(piece) : write_unfiltered(piece);
}

void response_writer::begin() {
    detail::require_no_body(head_);
    const auto [form, length] = exchange_.begin_body(head_);
    form_ = form;
    left_ = length;
    begun_ = true;
}

// From begin() to the sending there is no wait: nobody sends a head or the line of a chunk by itself.
task<> response_writer::write_unfiltered(std::string_view piece) {
    if (elsewhere_ != nullptr) {
        co_await elsewhere_->write(head_, piece, written_);
        begun_ = true;
        co_return;
    }
    while (exchange_.sending()) {
        co_await exchange_.sent();
    }
    if (!begun_) {
        begin();
    }
    if (piece.empty()) {
        co_return;
    }
    if (form_ == detail::server_exchange::body_form::none) {
        co_return;
    }
    const bool counted = form_ == detail::server_exchange::body_form::counted;
    if (counted && piece.size() > left_) {
        throw std::invalid_argument("more bytes are written than the Content-Length says");
    }
    const bool chunked = form_ == detail::server_exchange::body_form::chunked;
    // First: without memory for it nothing of the piece is in the answer.
    task<> sending =
        send_(stream_, exchange_, piece, chunked ? std::string_view("\r\n") : std::string_view());
    if (chunked) {
        exchange_.out() += detail::chunk_size_line(piece.size()).text();
    }
    left_ -= counted ? piece.size() : 0;
    written_ += piece.size();
    co_await std::move(sending);
}

// While nothing else of the connection is being sent, or is to be sent before.
std::size_t response_writer::try_file(const file& from, std::uint64_t offset, std::size_t size) {
    const bool counted = begun_ && form_ == detail::server_exchange::body_form::counted;
    if (send_file_ == nullptr || filter_ != nullptr || !counted || exchange_.sending() ||
        exchange_.holds_back() || exchange_.broken()) {
        return 0;
    }
    const auto allowed = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    const std::size_t taken = allowed > 0 ? send_file_(stream_, from, offset, allowed) : 0;
    left_ -= taken;
    written_ += taken;
    return taken;
}

task<> response_writer::write_file(file& from, std::uint64_t offset, std::uint64_t size) {
    leat::detail::file_pieces rest(from, offset, size, leat::detail::file_pieces::piece_beside);
    while (!rest.over()) {
        const std::size_t taken = rest.try_on(
            [this](const file& of, std::uint64_t at, std::size_t most) { return try_file(of, at, most); });
        if (taken > 0) {
            co_await yield();
            continue;
        }
        const std::span<const std::byte> piece = co_await rest.next();
        const std::uint64_t before = written_;
        co_await write({reinterpret_cast<const char*>(piece.data()), piece.size()});
        if (written_ == before) {
            co_return;  // the answer has no body, as that to HEAD
        }
    }
}

task<> response_writer::send_interim(int status, headers fields) {
    if (status < 102 || status > 199) {
        throw std::invalid_argument("an interim answer with status " + std::to_string(status));
    }
    while (elsewhere_ == nullptr && exchange_.sending()) {
        co_await exchange_.sent();
    }
    if (begun_) {
        throw std::invalid_argument("an interim answer comes before the answer");
    }
    if (elsewhere_ != nullptr) {
        co_await elsewhere_->interim(status, fields);
        co_return;
    }
    const std::string head = exchange_.interim_head(status, fields);
    if (!head.empty()) {
        co_await send_(stream_, exchange_, head, std::string_view());
    }
}

void response_writer::add_trailer(std::string_view name, std::string_view value) {
    if (!detail::may_be_trailer(name)) {
        throw std::invalid_argument("the field " + std::string(name) + " may not be a trailer");
    }
    trailers_.add(name, value);
}

std::string_view response_writer::finish() {
    if (exchange_.broken()) {
        throw std::system_error(stream_errc::broken, "answer to a client");
    }
    if (!begun_) {
        begun_ = true;
        return exchange_.answer(head_);
    }
    detail::require_no_body(head_);
    if (form_ == detail::server_exchange::body_form::counted && left_ > 0) {
        throw std::invalid_argument("fewer bytes are written than the Content-Length says");
    }
    if (form_ == detail::server_exchange::body_form::chunked) {
        exchange_.out().append("0\r\n").append(trailers_.wire()).append("\r\n");
    }
    return {};
}

}  // namespace leat::http
