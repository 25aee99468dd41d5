// SPDX-License-Identifier: MIT
// A server for tests of the limits that serve() holds its clients to, and what it tells of them.
#pragma once

#include <leat/net.hpp>

#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace leat::testing {

// A server for the duration of a test.
template <typename Handler>
struct limited_server {
    limited_server(Handler handler, serve_options options)
        : limited_server(tcp_listener::bind({"127.0.0.1", 0}), std::move(handler), options) {}
    limited_server(tcp_listener listener, Handler handler, serve_options options)
        : where(listener.local_endpoint()) {
        options.counters = &counters;
        options.stop_on = {};
        serving = spawn(serve(std::move(listener), std::move(handler), options));
    }
    task<> stop() {
        serving.cancel();
        co_await serving.join();
    }

    serve_counters counters;
    endpoint where;
    handle<> serving;
};

// Reads to the end; the time when it came.
inline task<time_point> end_of(tcp_stream& stream) {
    while (const chunk more = co_await stream.recv_chunk()) {
    }
    co_return now();
}

struct limit_told {
    std::string text;
    std::error_code code;
    std::optional<endpoint> peer;
};
inline std::vector<limit_told> limits_told;

// For serve_options::on_error.
inline void tell_limit(std::exception_ptr error, std::optional<endpoint> peer) {
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& known) {
        limits_told.push_back({known.what(), known.code(), peer});
    }
}

}  // namespace leat::testing
