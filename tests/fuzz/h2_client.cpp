// SPDX-License-Identifier: MIT
// Frames, and bytes that are none, from a stranger to an HTTP/2 connection of the client: what it takes for
// answers, and what it says, does not depend on how they are cut, and keeps to its limits. What it sends is
// whole frames.
#include <leat/check.hpp>
#include <leat/http/core/h2_client_session.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"
#include "h2_frames.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using fuzz::frame;
using fuzz::sent;
using leat::check;
using leat::http::detail::h2_client_session;
using leat::http::detail::h2_client_stream;

namespace {

constexpr leat::time_point at_once{};

// Settings, and what the input decides.
sent bytes_from(fuzz::choices& input) {
    sent made{.bytes = frame(4, 0, 0, {})};
    std::string& all = made.bytes;
    while (input.left()) {
        const unsigned kind = input.byte();
        const unsigned flags = input.byte();
        const unsigned stream = input.below(8);
        std::string payload;
        for (unsigned left = input.below(64); left > 0; --left) {
            payload += static_cast<char>(input.byte());
        }
        if (kind % 16 == 1) {  // the head of an answer: 200, by the static table
            payload.insert(0, "\x88");
        }
        const unsigned type = kind % 16 < 10 ? kind % 16 : kind % 2;
        all += kind < 0xf0 ? frame(type, flags, stream, payload) : payload;
        made.goes_away = made.goes_away || type == 7 || kind >= 0xf0;
    }
    return made;
}

std::string take_out(h2_client_session& session) {
    std::string all;
    for (;;) {
        std::string out;
        session.write(out, 1000, {});
        if (out.empty()) {
            return all;
        }
        all += out;
    }
}

// What three requests come to, the last one with a body, when the answer is `bytes`.
std::string outcome(std::string_view bytes, std::size_t step) {
    const leat::http::detail::parser_limits limits{.head_bytes = 300, .fields = 5};
    std::string seen;
    h2_client_session session(at_once);
    h2_client_stream streams[] = {h2_client_stream(limits), h2_client_stream(limits),
                                  h2_client_stream(limits)};
    for (h2_client_stream& each : streams) {
        const bool has_body = &each == &streams[2];
        session.submit(each, "POST / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\n\r\n", "http", has_body);
    }
    std::string said = take_out(session);
    session.give(streams[2], "body", false);
    said += take_out(session);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        session.receive(std::as_bytes(std::span(bytes.substr(at, step))), at_once);
    }
    for (h2_client_stream& each : streams) {
        each.unread = each.received.size();
        session.give_window(each);
    }
    session.abandon(streams[1]);
    said += take_out(session);
    session.lose({}, {});
    for (const h2_client_stream& each : streams) {
        check(!each.open, "no request is left");
        check(each.head.headers.size() <= limits.fields, "a head has as many fields as allowed");
        check(each.head.headers.wire().size() <= limits.head_bytes + 64, "a head is as long as allowed");
        check(each.received.size() <= h2_client_session::window, "a body is as long as its window");
        check(&each == &streams[1] || each.whole != static_cast<bool>(each.failure), "it ends in one way");
        seen += std::to_string(each.head.status) + (each.whole ? " whole " : " cut ");
        seen.append(each.head.headers.wire()).append(each.received).append("\n");
    }
    check(said.starts_with(fuzz::preface), "the preface is sent");
    fuzz::check_frames(std::string_view(said).substr(fuzz::preface.size()));
    return seen;
}

leat::task<> compare(sent all, std::size_t step) {
    const std::string whole = outcome(all.bytes, all.bytes.size());
    check(outcome(all.bytes, step) == whole || all.goes_away, "the cuts change nothing");
    check(outcome(all.bytes, 1) == whole || all.goes_away, "nor do single bytes");
    co_return;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices input(data, size);
    const std::size_t step = 1 + input.below(40);
    const sent all = bytes_from(input);
    leat::simulation network;
    leat::testing::run_simulated(network, [&] { return compare(all, step); },
                                 {.report = fuzz::nothing_is_reported});
    return 0;
}
