// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_answer_writer.hpp>

#include <leat/http/core/answer_fields.hpp>

#include <stdexcept>
#include <system_error>
#include <utility>

namespace leat::http::detail {

// While a piece is being sent. One that is cancelled cuts the answer off.
struct h2_connection::answer_writer::turn {
    turn(answer_writer& of, std::string_view piece) noexcept : stream(of.stream_) {
        of.connection_.session_.give(stream, piece, now());
        of.connection_.look_within(of.connection_.limits_.send);
        of.connection_.wanted_.set();
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() {
        if (!stream.pending.empty()) {
            stream.broken = true;
            stream.pending = {};
            stream.tell();
        }
    }
    h2_stream& stream;
};

task<> h2_connection::answer_writer::write(response& head, std::string_view piece, std::uint64_t& written) {
    while (!stream_.pending.empty()) {
        co_await stream_.changed.wait();
    }
    if (stream_.refused_with != 0) {
        throw std::system_error(std::make_error_code(std::errc::connection_reset), "answer to a client");
    }
    if (!stream_.begun) {
        begin(head);
    }
    if (piece.empty() || has_no_body_) {
        co_return;
    }
    if (length_ && piece.size() > *length_) {
        throw std::invalid_argument("more bytes are written than the Content-Length says");
    }
    require_open();
    if (length_) {
        *length_ -= piece.size();
    }
    written += piece.size();
    const turn given(*this, piece);
    while (!stream_.pending.empty()) {
        co_await stream_.changed.wait();
    }
    require_open();
}

task<> h2_connection::answer_writer::interim(int status, const headers& fields) {
    while (connection_.session_.queued() > queued_max && stream_.open) {
        co_await connection_.sent_.wait();
    }
    require_open();
    connection_.session_.interim(stream_, status, fields);
    connection_.wanted_.set();
}

void h2_connection::answer_writer::finish(response_writer& written) {
    h2_session& session = connection_.session_;
    response& head = written.head();
    if (!stream_.begun) {
        session.answer(stream_, head, now());
        return;
    }
    require_no_body(head);
    require_open();
    if (length_.value_or(0) > 0 && !has_no_body_) {
        throw std::invalid_argument("fewer bytes are written than the Content-Length says");
    }
    if (!has_no_body_) {
        session.finish(stream_, now(), std::move(written.trailers()));
    }
}

void h2_connection::answer_writer::require_open() const {
    if (!stream_.open || stream_.refused_with != 0) {
        throw std::system_error(std::make_error_code(std::errc::connection_reset), "answer to a client");
    }
    if (stream_.broken) {
        throw std::system_error(stream_errc::broken, "answer to a client");
    }
}

void h2_connection::answer_writer::begin(const response& head) {
    require_no_body(head);
    length_ = connection_.session_.begin(stream_, head);
    has_no_body_ = stream_.ended;
    connection_.wanted_.set();
}

}  // namespace leat::http::detail
