// SPDX-License-Identifier: MIT
// body_over: the body of a request of HTTP/1, which the handler of the server reads off the connection. It
// receives when what has come is used up, and answers "100 Continue" before, to a client that waits for it.
// Invariant: when it ends, the bytes that it has not taken are still in the input of the connection.
#pragma once

#include <leat/check.hpp>
#include <leat/chunk.hpp>
#include <leat/http/core/connection_over.hpp>
#include <leat/http/core/incoming_body.hpp>
#include <leat/http/core/server_exchange.hpp>
#include <leat/http/error.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/result.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::http::detail {

// The body of the request exchange.asked(), of which `rest`, in `input`, has come.
template <stream Stream>
class body_over final : public incoming_body {
public:
    body_over(Stream& stream, response_writer::send_function send, server_exchange& exchange,
              connection_over<Stream>& client, chunk& input, std::string_view& rest) noexcept
        : stream_(stream), send_(send), exchange_(exchange), client_(client), input_(input), rest_(rest) {
        client_.set_reading(&reading_);
        if (!exchange_.has_more_body()) {
            reading_.over.set();
        }
    }
    ~body_over() {
        exchange_.leave_body();
        client_.set_reading(nullptr);
    }

    [[nodiscard]] task<std::string_view> next() override {
        for (;;) {
            const std::optional<std::string_view> piece = exchange_.take_body(rest_);
            const std::error_code failed = exchange_.body_failure();
            if (failed || !exchange_.has_more_body()) {
                reading_.over.set();
            }
            if (failed) {
                throw std::system_error(failed, "body of a request");
            }
            if (piece.has_value()) {
                co_return *piece;
            }
            input_.reset();  // who waits leases no buffer
            rest_ = {};
            while (exchange_.awaits_continue() && exchange_.sending()) {
                co_await exchange_.sent();
            }
            if (exchange_.take_expectation()) {
                co_await send_(&stream_, exchange_, server_exchange::interim_answer(), std::string_view());
            }
            co_await receive();
        }
    }
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override {
        return exchange_.body_size();
    }
    void refuse(std::error_code why) noexcept override { exchange_.fail_body(why); }

private:
    // While the handler waits here the client has to make progress.
    struct wait {
        explicit wait(server_exchange& of) noexcept : exchange(of) {
            check(!std::exchange(exchange.receiving, true), "one task at a time reads the body of a request");
            exchange.await_body();
        }
        wait(const wait&) = delete;
        wait& operator=(const wait&) = delete;
        ~wait() {
            exchange.receiving = false;
            exchange.leave_body_wait();
        }
        server_exchange& exchange;
    };

    task<> receive() {
        const wait here(exchange_);
        input_ = client_.take_ahead();
        std::error_code failed;
        if (input_.empty()) {
            auto got = co_await as_result(stream_.recv_chunk());
            if (got.ok()) {
                input_ = std::move(*got);
            } else {
                failed = got.error();
            }
        }
        rest_ = input_.text();
        if (rest_.empty()) {
            exchange_.fail_body(failed ? failed : make_error_code(error::truncated_body));
            reading_.lost = true;
        }
    }

    Stream& stream_;
    response_writer::send_function send_;
    server_exchange& exchange_;
    connection_over<Stream>& client_;
    chunk& input_;
    std::string_view& rest_;
    body_reading reading_;
};

}  // namespace leat::http::detail
