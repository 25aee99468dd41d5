// SPDX-License-Identifier: MIT
// event_stream: sends events to a page for as long as it is open (server-sent events, html.spec.whatwg.org
// 9.2), as the body of an answer.
//
//   leat::task<> news(const leat::http::request& asked, leat::http::response_writer& writer) {
//       leat::http::event_stream events(writer);
//       while (auto item = co_await next_item()) {
//           co_await events.send({.data = *item, .id = "7"});
//       }
//   }
//
// A browser that loses the connection asks again, and says which event was the last it has got:
// last_event_id(). A handler notices a client that is gone by served_connection::gone(), or when it sends.
#pragma once

#include <leat/clock.hpp>
#include <leat/http/message.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http {

struct server_event {
    // Of one or more lines. An event without data sets id and retry, and the page does not hear of it.
    std::string_view data = "";
    std::string_view type = "";  // empty: "message"
    // What last_event_id() gives after a loss. Empty: none from then on. Without one the last stays.
    std::optional<std::string_view> id = std::nullopt;
    // How long the browser waits before it asks again.
    std::optional<std::chrono::milliseconds> retry = std::nullopt;
};

class event_stream {
public:
    // Sets the head of the answer: its type, and that nobody stores it. It goes out with the first event or
    // comment. The writer outlives this.
    explicit event_stream(response_writer& writer);

    // Completes when the kernel has it, and throws, as response_writer::write. Throws std::invalid_argument
    // for a line break in the type or id, or a zero in the id. What it refers to is copied. Cancelled: the
    // answer ends there.
    [[nodiscard]] task<> send(const server_event& event);
    [[nodiscard]] task<> send(std::string_view data) { return send(server_event{.data = data}); }
    // A line that no page sees.
    [[nodiscard]] task<> comment(std::string_view text = "");

    // Sends an empty comment every so often, so that nobody on the way takes the connection for dead, and the
    // head goes out at once: to be raced with what sends the events. Ends by being cancelled, or throws when
    // the client is gone.
    [[nodiscard]] task<> keep_alive(duration every = std::chrono::seconds(15));

private:
    [[nodiscard]] task<> write(std::string text);

    response_writer& writer_;
};

// The id of the last event that the client has got, as it says; empty when there is none.
[[nodiscard]] std::string_view last_event_id(const request& asked) noexcept;

}  // namespace leat::http
