// SPDX-License-Identifier: MIT
// Frames, and bytes that are none, from a stranger to an HTTP/2 connection of the server, whose handlers read
// the bodies of their requests or do not: what it takes for requests, and what it says to them, does not
// depend on how they are cut, and keeps to its limits. What it says a client understands.
#include <leat/check.hpp>
#include <leat/testing/simulation.hpp>

#include "../net/http/core/h2_server.hpp"
#include "choices.hpp"
#include "h2_frames.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using fuzz::frame;
using fuzz::sent;
using leat::check;
using leat::http::detail::h2_session;
using leat::http::detail::h2_stream;

namespace {

// The preface, settings, and what the input decides.
sent bytes_from(fuzz::choices& input) {
    sent all;
    all.bytes.append(fuzz::preface).append(frame(4, 0, 0, {}));
    while (input.left()) {
        const unsigned kind = input.byte();
        const unsigned flags = input.byte();
        const unsigned stream = input.below(12);
        std::string payload;
        for (unsigned left = input.below(64); left > 0; --left) {
            payload += static_cast<char>(input.byte());
        }
        all.bytes += kind < 0xf0 ? frame(kind % 11, flags, stream, payload) : payload;
        all.goes_away = all.goes_away || kind % 11 == 7 || kind >= 0xf0;
    }
    return all;
}

struct seen {
    std::string requests;
    std::string said;
    bool operator==(const seen&) const = default;
};

// The rest of a body that does not come is waited for. One that is longer than its Content-Length comes as
// far as it is right, which depends on the cuts.
void read_body(h2_session& session, h2_stream& stream, seen& all) {
    std::string piece;
    session.take_body(stream, piece);
    check(piece.size() <= 65'535, "what was not read is no longer than a window");
    if (stream.whole || !stream.body_size.has_value()) {
        all.requests += piece;
    }
    if (!stream.whole) {
        session.await_body(stream, leat::time_point{});
        session.end_wait(stream, leat::time_point{});
        all.requests += stream.open ? " and more" : " and no more";
    }
}

seen serve(std::string_view bytes, std::size_t step, bool reads) {
    const leat::http::server_limits limits{.header_bytes = 1000, .body_bytes = 100, .streams = 4};
    leat::testing::nowhere client;
    seen all;
    h2_session session(limits, client, leat::time_point{}, reads);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        session.receive(std::as_bytes(std::span(bytes.substr(at, step))), leat::time_point{});
    }
    while (h2_stream* next = session.take_request()) {
        const leat::http::request& asked = next->asked;
        check(asked.headers.wire().size() <= limits.header_bytes, "a head is as long as allowed");
        check(asked.body.size() <= limits.body_bytes, "a body is as long as allowed");
        check(asked.headers.contains("Host"), "a request has a host");
        all.requests.append(asked.method).append(" ").append(asked.target).append("\n");
        all.requests.append(asked.headers.wire()).append(asked.body).append("\n");
        if (reads && !next->is_tunnel) {
            read_body(session, *next, all);
        }
        leat::http::response made;
        if (asked.headers.contains("Upgrade")) {
            made.status = 101;
            made.upgraded = [](leat::any_stream&) -> leat::task<> { co_return; };
            session.answer(*next, made, leat::time_point{});
            std::string come;
            session.take_body(*next, come);
            all.requests += come;
            session.give(*next, asked.target, leat::time_point{});
            session.finish(*next, leat::time_point{});
            session.handler_ended(*next);
            continue;
        }
        made.body = asked.target;
        session.answer(*next, made, leat::time_point{});
        session.handler_ended(*next);
    }
    for (;;) {
        const std::size_t before = all.said.size();
        std::string out;
        session.write(out, 1000, leat::time_point{});
        all.said += out;
        if (all.said.size() == before) {
            break;
        }
    }
    return all;
}

leat::task<> compare(sent all, std::size_t step, bool reads) {
    const seen whole = serve(all.bytes, all.bytes.size(), reads);
    fuzz::check_frames(whole.said);
    check(serve(all.bytes, step, reads) == whole || all.goes_away, "the cuts change nothing");
    check(serve(all.bytes, 1, reads) == whole || all.goes_away, "nor do single bytes");
    co_return;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices input(data, size);
    const std::size_t step = 1 + input.below(40);
    const bool reads = step % 2 == 0;
    const sent all = bytes_from(input);
    leat::simulation network;
    leat::testing::run_simulated(network, [&] { return compare(all, step, reads); },
                                 {.report = fuzz::nothing_is_reported});
    return 0;
}
