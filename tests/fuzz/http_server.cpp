// SPDX-License-Identifier: MIT
// Bytes from a stranger to an HTTP server of the simulation: it answers or refuses and ends the connection,
// whatever came, and what it answers does not depend on how the bytes are cut. Nothing is left open.
#include <leat/check.hpp>
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using leat::check;

namespace {

leat::task<leat::http::response> count(const leat::http::request& asked) {
    leat::http::response made;
    made.body = std::to_string(asked.target.size()) + " " + std::to_string(asked.body.size());
    co_return made;
}

leat::task<> count_in_pieces(const leat::http::request& asked, leat::http::response_writer& writer) {
    co_await writer.write(std::to_string(asked.target.size()) + " ");
    co_await writer.write(std::to_string(asked.body.size()));
}

// Reads until it has as many bytes as the target has, or all of it.
leat::task<leat::http::response> count_some(const leat::http::request& asked,
                                            leat::http::request_body_reader& body) {
    for (;;) {
        const std::string_view piece = co_await body.read();
        if (piece.empty() || body.bytes_read() >= asked.target.size()) {
            break;
        }
    }
    leat::http::response made;
    made.body = std::to_string(asked.target.size());
    co_return made;
}

// Whether a body was waited for depends on when it came.
void erase_all(std::string& text, std::string_view part) {
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part)) {
        text.erase(at, part.size());
    }
}

// Sends `bytes`, `step` at a time, and gives what comes until the end.
leat::task<std::string> ask(leat::endpoint server, std::string_view bytes, std::size_t step) {
    auto peer = co_await leat::tcp_stream::connect(server);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const auto sent = co_await leat::as_result(peer.send_all(bytes.substr(at, step)));
        if (!sent.ok()) {
            break;
        }
        co_await leat::yield();
    }
    peer.shutdown_send();
    std::string all;
    for (;;) {
        const auto some = co_await leat::as_result(peer.recv_chunk());
        if (!some.ok() || some->size() == 0) {
            break;
        }
        all += some->text();
    }
    erase_all(all, "HTTP/1.1 100 Continue\r\n\r\n");
    co_return all;
}

template <typename Handler>
std::string answers(Handler handler, bool narrow, std::string_view bytes, std::size_t step) {
    leat::http::serve_options how{.grace = leat::duration::zero(), .stop_on = {}};
    how.limits.http2 = false;  // h2_server has that
    if (narrow) {
        how.limits.header_bytes = 100;
        how.limits.body_bytes = 20;
    }
    leat::simulation network;
    std::string all;
    leat::testing::run_simulated(network,
                                 [&]() -> leat::task<> {
                                     auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
                                     const leat::endpoint where = listener.local_endpoint();
                                     auto serving =
                                         leat::spawn(leat::http::serve(std::move(listener), handler, how));
                                     all = co_await ask(where, bytes, step);
                                     serving.cancel();
                                     co_await serving.join();
                                 },
                                 {.report = fuzz::nothing_is_reported});
    check(network.open_sockets() == 0, "no socket is left open");
    check(all.empty() || all.starts_with("HTTP/1.1 "), "an answer is one of HTTP");
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const bool narrow = (data[0] & 1) != 0;
    const std::size_t step = 1 + data[0] / 2 % 16;
    if ((data[0] & 0xc0) == 0xc0) {
        check(answers(count_some, narrow, bytes, size) == answers(count_some, narrow, bytes, step),
              "nor when a handler reads a part of the bodies");
    } else if ((data[0] & 0x80) != 0) {
        check(answers(count, narrow, bytes, size) == answers(count, narrow, bytes, step),
              "the cuts of the requests do not change the answers");
    } else {
        check(answers(count_in_pieces, narrow, bytes, size) == answers(count_in_pieces, narrow, bytes, step),
              "nor when they are written in pieces");
    }
    return 0;
}
