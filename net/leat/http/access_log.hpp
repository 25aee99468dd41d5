// SPDX-License-Identifier: MIT
// What a server tells of each answer of its handlers (serve_options::on_answer), and the line that logs have
// of it:
//
//   options.on_answer = [](const leat::http::answered& done) {
//       std::printf("%s\n", leat::http::access_line(done).c_str());
//   };
#pragma once

#include <leat/clock.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace leat::http {

// An answer whose handler has ended. Its last bytes may still be leaving.
struct answered {
    const request& asked;         // and its connection
    int status;                   // 500: the handler has thrown
    std::uint64_t body_bytes;     // that the handler has given or written; to HEAD none of them is sent
    leat::duration handler_time;  // from the call of the handler to its end
    bool cut;                     // the handler was cancelled, or threw while it wrote
    std::chrono::system_clock::time_point when;  // now
};

// One line in the combined format of Apache and nginx, without its end:
//   192.0.2.1 - - [30/Nov/2026:20:26:19 +0000] "GET / HTTP/1.1" 200 6 "-" "curl/8.0"
// The time is UTC. Quotes, backslashes and bytes that are no printable ASCII are written as \xhh, so nobody
// can write a line of their own. A client without an IP address is "-". Throws std::bad_alloc.
[[nodiscard]] std::string access_line(const answered& done);
// The same with another client than that of the connection: the one that proxies tell of (forwarded.hpp).
//   access_line(done, leat::http::x_forwarded(done.asked, our_proxies).client)
[[nodiscard]] std::string access_line(const answered& done, const std::optional<endpoint>& client);

}  // namespace leat::http
