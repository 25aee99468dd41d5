// SPDX-License-Identifier: MIT
// serve_messages: a server of requests and replies from one function. Each connection carries any number of
// requests, each of which is one message, and gets a reply to each, in order.
//
//   std::string reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }
//
//   co_await leat::serve_messages(std::move(listener), leat::message_format::with_digits(5), reversed);
#pragma once

#include <leat/framing/message_stream.hpp>
#include <leat/serve.hpp>
#include <leat/stoppable.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leat {

namespace detail {

template <typename Handler>
using reply_of = std::invoke_result_t<Handler&, std::string_view>;

template <typename Handler>
concept replies = std::invocable<Handler&, std::string_view> &&
                  (std::same_as<std::remove_cvref_t<reply_of<Handler>>, task<std::string>> ||
                   std::convertible_to<reply_of<Handler>, std::string>);

template <stream Stream, typename Handler>
task<> answer_messages(Stream client, const message_format& format, Handler& handler) {
    message_stream peer(std::move(client), format);
    for (;;) {
        std::optional<std::string_view> request;
        if (peer.has_message()) {  // also when the server has been told to stop
            request = co_await peer.recv();
        } else {
            request = co_await stoppable(peer.recv());
        }
        if (!request) {
            co_return;
        }
        std::string reply;
        if constexpr (is_task<std::remove_cvref_t<reply_of<Handler>>>) {
            reply = co_await handler(*request);
        } else {
            reply = handler(*request);
        }
        co_await peer.send(reply);
    }
}

}  // namespace detail

// Serves, as serve() does and with its options, connections that `listener` accepts. `handler` gets the text
// of a request, which lives until the reply has been given, and gives a std::string or a task of one; it is
// shared by all connections. What is no request of this format, an end inside of one, a reply that the format
// does not allow and what the handler throws end their connection, and go to `on_error` or to the report. A
// stop ends connections that wait for a request; those that have been received whole get their replies.
template <typename Listener, typename Handler>
task<> serve_messages(Listener listener, message_format format, Handler handler, serve_options options = {}) {
    static_assert(detail::replies<Handler>,
                  "the handler of serve_messages() takes a std::string_view and gives a std::string or a "
                  "leat::task<std::string>");
    const auto answer = [&](detail::accepted_by<Listener> client) {
        return detail::answer_messages(std::move(client), format, handler);
    };
    co_await serve<Listener>(std::forward<Listener>(listener), answer, options);
}

}  // namespace leat
