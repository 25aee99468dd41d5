// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_body_reader.hpp>

#include <leat/check.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <utility>

namespace leat::http::detail {

// While the handler waits here some body of the connection has to get on.
struct h2_connection::body_reader::wait {
    explicit wait(body_reader& of) : reader(of) {
        check(!reader.stream_.awaited, "one task at a time reads the body of a request");
        h2_connection& connection = reader.connection_;
        connection.session_.await_body(reader.stream_, now());
        connection.look_within(std::min(connection.limits_.body, connection.limits_.body_total));
        connection.wanted_.set();
    }
    wait(const wait&) = delete;
    wait& operator=(const wait&) = delete;
    ~wait() { reader.connection_.session_.end_wait(reader.stream_, now()); }
    body_reader& reader;
};

task<std::string_view> h2_connection::body_reader::next() {
    for (;;) {
        if (failure_) {
            throw std::system_error(failure_, "body of a request");
        }
        if (stream_.is_tunnel) {
            co_return std::string_view();
        }
        if (!stream_.come.empty()) {
            connection_.session_.take_body(stream_, piece_);
            connection_.wanted_.set();
            co_return piece_;
        }
        if (stream_.whole) {
            failure_ = stream_.trailers_failure;
            if (!failure_) {
                end();
                co_return std::string_view();
            }
            continue;
        }
        failure_ = end_of_stream();
        if (!failure_) {
            const wait here(*this);
            co_await stream_.changed.wait();
        }
    }
}

void h2_connection::body_reader::end() noexcept {
    if (!stream_.trailers.empty()) {
        stream_.asked.trailers = std::exchange(stream_.trailers, {});
    }
}

// Why nothing more comes, if that is so.
std::error_code h2_connection::body_reader::end_of_stream() const noexcept {
    if (stream_.open && stream_.client_ended) {
        return error::truncated_body;
    }
    const bool gone = !stream_.open || stream_.refused_with != 0;
    return gone ? std::make_error_code(std::errc::connection_reset) : std::error_code();
}

}  // namespace leat::http::detail
