// SPDX-License-Identifier: MIT
// http_origin: an HTTP server for tests of the client whose answers are bytes written by hand. Each request's
// head is given to a function, which says what to send and what to do then. And what the client's tests say
// with it.
#pragma once

#include <leat/http/client.hpp>
#include <leat/net.hpp>
#include <leat/sync/event.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

// The connection: serve on, close it, say nothing for ever, or end it and wait for the client to close.
enum class then { keep, close, hold, end };

struct answer {
    std::string bytes;
    then next = then::keep;
    std::string late = {};  // sent once the test has set http_origin::go_on
};

inline answer with_length(std::string_view body) {
    return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
            std::string(body)};
}
inline answer redirect_to(std::string_view location) {
    return {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + std::string(location) + "\r\n\r\n"};
}

// What the request with this head asks for.
inline std::string path_of(const std::string& head) {
    const std::size_t begin = head.find(' ') + 1;
    return head.substr(begin, head.find(' ', begin) - begin);
}

// Of a client that asks an http_origin, whatever the environment says.
inline constexpr leat::http::client_options direct{.environment_proxies = false};

class http_origin {
public:
    explicit http_origin(std::function<answer(const std::string& head)> answers)
        : answers_(std::move(answers)) {}

    // Serves while `body()` runs.
    leat::task<> during(std::function<leat::task<>()> body);

    [[nodiscard]] int port() const { return listener_.local_endpoint().port(); }
    [[nodiscard]] std::string url(std::string_view path) const {
        return "http://127.0.0.1:" + std::to_string(port()) + std::string(path);
    }

    // What is said before the body of a request is read, if there is one; unless its `next` is `keep` the
    // body is not read then, and `answers` not asked.
    std::function<answer(const std::string& head)> before_body;

    leat::event go_on;
    leat::event sent_late;
    leat::event some_ended;
    int accepted = 0;
    int ended = 0;  // connections that the client has closed
    std::vector<std::string> heads;
    std::vector<std::string> bodies;  // of those requests that have one, as they came, with their chunks

private:
    void note_end();
    leat::task<> accept_all();
    leat::task<> serve(leat::tcp_stream peer);
    leat::task<> answer_all(leat::tcp_stream& peer);
    leat::task<bool> receive_head(leat::tcp_stream& peer, std::string& received);
    leat::task<bool> receive_body(leat::tcp_stream& peer, const std::string& head, std::string& received);
    leat::task<bool> give(leat::tcp_stream& peer, answer given);

    std::function<answer(const std::string& head)> answers_;
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
};

// What awaiting `asked` throws, as text.
template <typename T>
leat::task<std::string> error_of(leat::task<T> asked) {
    try {
        (void)co_await std::move(asked);
    } catch (const std::exception& failure) {
        co_return failure.what();
    }
    co_return "no error";
}

}  // namespace support
