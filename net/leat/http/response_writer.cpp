// SPDX-License-Identifier: MIT
#include <leat/http/response_writer.hpp>

#include <leat/http/writer.hpp>

#include <charconv>
#include <stdexcept>

namespace leat::http {

void response_writer::begin() {
    begun_ = true;
    const auto length = head_.headers.get("Content-Length");
    if (length) {
        const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), left_);
        if (error != std::errc() || end != length->data() + length->size()) {
            throw std::invalid_argument("the Content-Length of an answer is a number");
        }
    }
    form_ = exchange_.begin_answer(head_);
}

task<> response_writer::write(std::string_view piece) {
    if (!begun_) {
        begin();
    }
    if (piece.empty()) {
        co_return;
    }
    if (form_ == server_exchange::body_form::counted) {
        if (piece.size() > left_) {
            throw std::invalid_argument("more bytes are written than the Content-Length says");
        }
        left_ -= piece.size();
    }
    switch (form_) {
        case server_exchange::body_form::none:
            break;
        case server_exchange::body_form::chunked:
            exchange_.out() += chunk_size_line(piece.size()).text();
            co_await send(piece, "\r\n");
            break;
        case server_exchange::body_form::counted:
        case server_exchange::body_form::until_close:
            co_await send(piece, "");
            break;
    }
}

task<> response_writer::send(std::string_view piece, std::string_view behind) {
    lost_ = true;
    exchange_.wait_for_send();
    co_await send_(stream_, exchange_.out(), piece, behind);
    exchange_.out().clear();
    exchange_.wait_for_handler();
    lost_ = false;
}

void response_writer::finish() {
    if (!begun_) {
        begun_ = true;
        exchange_.answer(head_);
        return;
    }
    if (form_ == server_exchange::body_form::counted && left_ > 0) {
        throw std::invalid_argument("fewer bytes are written than the Content-Length says");
    }
    if (form_ == server_exchange::body_form::chunked) {
        exchange_.out() += last_chunk;
    }
}

}  // namespace leat::http
