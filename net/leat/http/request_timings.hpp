// SPDX-License-Identifier: MIT
// request_timings: when a request of the HTTP client went through its steps. response_stream and fetched have
// them. Their times are of leat::now(), in a simulation, too.
// Invariant: those that are there are in the order of the members.
#pragma once

#include <leat/clock.hpp>

#include <optional>

namespace leat::http {

// Of steps that were not needed there is no time: of a kept or shared connection only those of the request.
struct request_timings {
    time_point asked = {};  // the user has asked for it
    // This request began, after redirects and tries that have failed; at first it may wait for a free
    // connection.
    time_point begun = {};
    std::optional<time_point> dialled = {};    // a new connection was begun
    std::optional<time_point> resolved = {};   // the first addresses of a name were known, perhaps a proxy's
    std::optional<time_point> connected = {};  // to the host, or the proxy
    std::optional<time_point> tunnelled = {};  // the proxy has connected to the host
    std::optional<time_point> secured = {};    // the handshake of TLS was done
    std::optional<time_point> sent = {};       // all of the request. Without: the answer came before that
    time_point headed = {};                    // the head of the answer had come
    bool reused = false;  // the connection was there before the request, or another made it
};

}  // namespace leat::http
