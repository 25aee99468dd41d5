// SPDX-License-Identifier: MIT
// h2_origin: an HTTP/2 server for tests of the client whose frames are written by hand, with which it can
// keep to the rules or not. Each request is given to a function, which says what to send and what to do then.
#pragma once

#include <leat/net.hpp>
#include <leat/sync/event.hpp>
#include <leat/task.hpp>

#include "../../support/http_origin.hpp"
#include "h2_client.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

// One frame that a client has sent.
struct h2_seen {
    std::uint8_t type;
    std::uint8_t flags;
    std::uint32_t stream;
    std::string payload;
};

// The head of an answer, each field as it is. Names and values of less than 127 bytes.
[[nodiscard]] std::string h2_head(std::uint32_t stream, int status, const http::headers& fields = {},
                                  bool last = false);
[[nodiscard]] std::string h2_data(std::uint32_t stream, std::string_view body, bool last = true);
// A whole answer.
[[nodiscard]] std::string h2_page(std::uint32_t stream, std::string_view body);
[[nodiscard]] std::string h2_goaway(std::uint32_t last_stream, std::uint32_t code = 0);
[[nodiscard]] std::string h2_reset(std::uint32_t stream, std::uint32_t code);
// For the payload of a SETTINGS frame.
[[nodiscard]] std::string h2_setting(std::uint16_t which, std::uint32_t value);

class h2_origin {
public:
    // What to say to the head of a request on `stream` of a connection, which are counted from 1.
    using answers = std::function<support::answer(std::uint32_t stream, int connection)>;
    explicit h2_origin(answers given) : answers_(std::move(given)) {}

    // Serves while `body()` runs.
    task<> during(std::function<task<>()> body);
    [[nodiscard]] std::string url(std::string_view path) const {
        return "http://" + listener_.local_endpoint().to_string() + std::string(path);
    }
    [[nodiscard]] std::size_t count(std::uint8_t type) const;

    std::string settings;  // the payload of the first frame
    std::function<support::answer(const h2_seen& frame, int connection)> to_frame;  // to all but HEADERS
    int accepted = 0;
    int ended = 0;  // connections that the client has closed
    event some_ended;
    event go_on;  // then support::answer::late is sent
    event sent_late;
    std::vector<h2_seen> seen;
    event saw;  // set for a moment at each frame

private:
    task<> serve(tcp_stream peer);
    task<> talk(tcp_stream& peer, int connection);
    task<bool> give(tcp_stream& peer, support::answer given);

    answers answers_;
    tcp_listener listener_ = tcp_listener::bind({"127.0.0.1", 0});
};

}  // namespace leat::testing
