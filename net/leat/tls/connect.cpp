// SPDX-License-Identifier: MIT
#include <leat/tls/connect.hpp>

#include <leat/connect.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/tls/core/peer_check.hpp>

#include <utility>

namespace leat::tls {

task<stream<tcp_stream>> connect(const context& shared, std::string host, int port, connect_options options) {
    const std::string expected(options.server_name.empty() ? host : options.server_name);
    (void)detail::expected_host(expected);  // throws before anybody is connected to
    const time_point deadline = after(now(), options.timeout);
    const leat::connect_options how{.timeout = options.timeout,
                                    .attempt_delay = options.attempt_delay,
                                    .names = options.names,
                                    .local = options.local};
    tcp_stream transport = co_await connect_to_host(host, port, how);
    stream<tcp_stream> made(std::move(transport), shared, expected);
    co_await made.handshake(deadline == never ? duration::max() : deadline - now());
    co_return std::move(made);
}

}  // namespace leat::tls
