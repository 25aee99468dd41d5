// SPDX-License-Identifier: MIT
// Bytes from a stranger as the frames of a WebSocket, plain or compressed: the messages do not depend on how
// they are cut (what is wrong with a close does: wslay looks at each piece of it by itself), none is longer
// than allowed, and a text is UTF-8. What one session sends another receives.
#include <leat/check.hpp>
#include <leat/core/utf8.hpp>
#include <leat/websocket/core/session.hpp>

#include <algorithm>
#include <string>

using leat::check;
using leat::websocket::kind;
using leat::websocket::role;
using leat::websocket::detail::deflate_terms;
using leat::websocket::detail::session;

namespace {

constexpr std::size_t message_max = 1000;

struct outcome {
    std::string messages;
    bool operator==(const outcome&) const = default;
};

void take_messages(session& from, outcome& seen) {
    while (const auto* next = from.take_message()) {
        check(next->data.size() <= message_max, "no message is longer than allowed");
        check(next->kind == kind::binary || leat::detail::is_utf8(next->data), "a text is UTF-8");
        seen.messages.append(next->kind == kind::text ? "t" : "b").append(next->data).append("|");
    }
}

outcome read(std::string_view input, std::size_t step, const std::optional<deflate_terms>& deflate) {
    session reader(role::server, message_max, deflate);
    outcome seen;
    for (std::size_t at = 0; at < input.size() && reader.receives(); at += step) {
        std::string_view rest = input.substr(at, step);
        while (reader.receives()) {
            reader.receive(rest);
            take_messages(reader, seen);
            if (rest.empty()) {
                break;
            }
        }
    }
    const auto* const closed = reader.closed_by_peer();
    check(closed == nullptr || leat::detail::is_utf8(closed->reason) || reader.failure(),
          "the reason of a close is UTF-8");
    return seen;
}

// As a text where it is one.
void check_round_trip(std::string_view text, const std::optional<deflate_terms>& deflate) {
    session sender(role::client, message_max, deflate);
    const kind of = leat::detail::is_utf8(text) ? kind::text : kind::binary;
    sender.send(of, text);
    sender.send(of, text);
    outcome expected;
    expected.messages = std::string(of == kind::text ? "t" : "b").append(text).append("|");
    expected.messages += expected.messages;
    const outcome seen = read(sender.out(), 7, deflate);
    check(text.size() > message_max || seen == expected, "what is sent is received");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    for (const auto& deflate :
         {std::optional<deflate_terms>(), std::optional<deflate_terms>(deflate_terms{})}) {
        const outcome whole = read(input, std::max<std::size_t>(1, size), deflate);
        check(read(input, 1, deflate) == whole, "single bytes give the same");
        check(read(input, 3, deflate) == whole, "and so do cuts at every third");
        check_round_trip(input.substr(0, 2000), deflate);
    }
    return 0;
}
