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
    template <typename Body>
    leat::task<> during(Body body) {
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            group.spawn([this] { return accept_all(); });
            co_await body();
            group.cancel();
        });
    }

    [[nodiscard]] int port() const { return listener_.local_endpoint().port(); }
    [[nodiscard]] std::string url(std::string_view path) const {
        return "http://127.0.0.1:" + std::to_string(port()) + std::string(path);
    }

    leat::event go_on;
    leat::event sent_late;
    leat::event some_ended;
    int accepted = 0;
    int ended = 0;  // connections that the client has closed
    std::vector<std::string> heads;

private:
    void note_end() {
        ++ended;
        some_ended.set();
    }
    leat::task<> accept_all() {
        co_await leat::with_task_group([this](leat::task_group& group) -> leat::task<> {
            for (;;) {
                leat::tcp_stream peer = co_await listener_.accept();
                ++accepted;
                group.spawn([this](leat::tcp_stream stream) { return serve(std::move(stream)); },
                            std::move(peer));
            }
        });
    }
    leat::task<> serve(leat::tcp_stream peer) {
        try {
            co_await answer_all(peer);
        } catch (const std::system_error&) {
            note_end();  // reset
        }
    }
    leat::task<> answer_all(leat::tcp_stream& peer) {
        std::string received;
        for (;;) {
            std::size_t end = received.find("\r\n\r\n");
            while (end == received.npos) {
                const auto chunk = co_await peer.recv_chunk();
                if (chunk.empty()) {
                    note_end();
                    co_return;
                }
                received += chunk.text();
                end = received.find("\r\n\r\n");
            }
            heads.push_back(received.substr(0, end + 4));
            received.erase(0, end + 4);
            const answer given = answers_(heads.back());
            co_await peer.send_all(given.bytes);
            if (!given.late.empty()) {
                co_await go_on.wait();
                co_await peer.send_all(given.late);
                sent_late.set();
            }
            if (given.next == then::close) {
                co_return;
            }
            if (given.next == then::end) {
                peer.shutdown_send();
            }
            if (given.next == then::hold || given.next == then::end) {
                char byte = 0;
                (void)co_await peer.recv(std::span(&byte, 1));
                note_end();
                co_return;
            }
        }
    }

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
