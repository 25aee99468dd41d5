// SPDX-License-Identifier: MIT
// accept: a WebSocket in an HTTP server. The answer to the request that asks for one has the handler of the
// socket in it (RFC 6455 4.2):
//
//     leat::task<leat::http::response> site(const leat::http::request& asked) {
//         if (asked.target == "/echo") {
//             co_return leat::websocket::accept(asked, echo);  // task<> echo(leat::websocket::socket& peer)
//         }
//         ...
//     }
//     co_await leat::http::serve(std::move(listener), site);
//
// Over HTTP/2 the socket is a stream of the connection (RFC 8441), and the handler is the same.
#pragma once

#include <leat/http/message.hpp>
#include <leat/websocket/socket.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace leat::websocket {

struct accept_options {
    socket_options socket = {};
    // What the server speaks on top; the first of the client's that is among them is agreed on. It is read by
    // accept().
    std::span<const std::string_view> protocols = {};
    // A browser tells from which site the page is that asks (Origin). Unless this is true, another site than
    // the one that the request was sent to (Host) is refused: its pages would act with the user's cookies.
    bool any_origin = false;
};

template <typename Handler>
concept socket_handler = requires(Handler& handler, socket& peer) {
    { handler(peer) } -> std::same_as<task<>>;
};

namespace detail {

// The answer that begins the protocol, without its handler; or one that refuses. And what it agrees on.
[[nodiscard]] http::response answer_handshake(const http::request& asked, const accept_options& options,
                                              socket::agreement& agreed);
// Closes `peer` as its handler has ended: 1000, or 1011 when it has failed, which is thrown unless the peer
// is gone.
[[nodiscard]] task<> end(socket& peer, std::exception_ptr failure);

template <typename Handler>
task<> run_handler(any_stream& stream, Handler& handler, socket_options options, socket::agreement agreed) {
    socket peer(std::move(stream), role::server, options, std::move(agreed));
    std::exception_ptr failure;
    try {
        co_await handler(peer);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await end(peer, std::move(failure));
}

}  // namespace detail

// The answer to `asked`: 101, and `handler(socket)` runs once that was sent. When it returns the socket is
// closed with 1000; when it throws, with 1011, and the error goes where those of handlers of the server go,
// but for error::truncated and error::closed: the peer is gone.
// A request that does not ask for a WebSocket gets 426, a malformed one 400, one from a page of another site
// 403. `handler` is copied into the answer.
template <socket_handler Handler>
[[nodiscard]] http::response accept(const http::request& asked, Handler handler,
                                    accept_options options = {}) {
    socket::agreement agreed;
    http::response answer = detail::answer_handshake(asked, options, agreed);
    if (answer.status == 101) {
        answer.upgraded = [handler = std::move(handler), settings = options.socket,
                           agreed = std::move(agreed)](any_stream& stream) mutable {
            return detail::run_handler(stream, handler, settings, agreed);
        };
    }
    return answer;
}

}  // namespace leat::websocket
