// SPDX-License-Identifier: MIT
// proxy_protocol: a proxy in front of a server (HAProxy, nginx, a load balancer) tells whom a connection is
// from, in a header before its bytes: the PROXY protocol, versions 1 and 2 (proxy-protocol.txt of HAProxy).
// serve_options::proxies has serve() read it; this is for servers that do so themselves.
#pragma once

#include <leat/chunk.hpp>
#include <leat/endpoint.hpp>
#include <leat/result.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leat {

struct proxy_header {
    // The client, and where it connected to. Empty when the proxy speaks for itself, as for a check of
    // health, or does not know.
    std::optional<endpoint> from;
    std::optional<endpoint> to;
    std::string server_name;  // what a client of TLS asked for (PP2_TYPE_AUTHORITY); mostly empty
};

namespace detail {

// A header longer than this is refused: version 2 could announce 64 KiB.
inline constexpr std::size_t proxy_header_max = 4096;

// What is read of a header so far.
struct proxy_header_progress {
    std::size_t size = 0;  // of the header; 0: more bytes are needed
    proxy_header header = {};
};
// `bytes` begin where the connection does. Fails with std::errc::protocol_error.
[[nodiscard]] result<proxy_header_progress> read_proxy_header(std::string_view bytes);
// Throws.
[[noreturn]] void fail_proxy_header(std::error_code why);

}  // namespace detail

// Receives the header off the front of `from`, which lives until then; what comes behind it stays there.
// Throws std::system_error: std::errc::protocol_error for what is no header, stream_errc::end_of_stream for a
// connection that ends inside one, and errors of the stream; then the connection is of no further use.
// Cancelled: the same.
template <pushback_stream Stream>
[[nodiscard]] task<proxy_header> recv_proxy_header(Stream& from) {
    std::string received;
    for (;;) {
        chunk more = co_await from.recv_chunk();
        if (more.empty()) {
            detail::fail_proxy_header(stream_errc::end_of_stream);
        }
        const std::size_t before = received.size();
        received += more.text().substr(0, detail::proxy_header_max - before);
        auto read = detail::read_proxy_header(received);
        if (!read.ok() || (read->size == 0 && received.size() == detail::proxy_header_max)) {
            detail::fail_proxy_header(std::make_error_code(std::errc::protocol_error));
        }
        if (read->size != 0) {
            more.remove_prefix(read->size - before);
            if (!more.empty()) {
                from.unread(std::move(more));
            }
            co_return std::move(read->header);
        }
    }
}

}  // namespace leat
