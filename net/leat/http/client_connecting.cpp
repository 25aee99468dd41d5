// SPDX-License-Identifier: MIT
// How the HTTP client connects: to the host itself, or through a proxy.
#include <leat/http/client.hpp>

#include <leat/connect.hpp>
#include <leat/http/connect_by_proxy.hpp>
#include <leat/http/core/client_request.hpp>
#include <leat/socks.hpp>
#include <leat/timeout.hpp>
#include <leat/unix.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

bool is_shortage_of_descriptors(const std::error_code& code) noexcept {
    return code == std::errc::too_many_files_open || code == std::errc::too_many_files_open_in_system;
}

// Through the proxy at the other end of `below`.
task<tcp_stream> reach(const detail::client_request& asked, tcp_stream below) {
    const std::string credentials = asked.proxy->credentials();
    const std::size_t colon = std::min(credentials.find(':'), credentials.size());
    const url& target = asked.chain.current();
    const auto connect = asked.proxy->socks ? connect_by_socks5 : connect_by_proxy;
    return connect(std::move(below), target.host(), target.port(), credentials.substr(0, colon),
                   credentials.substr(std::min(colon + 1, credentials.size())));
}

std::string place_to_dial(const url& of) {
    return of.host() + ":" + std::to_string(of.port());
}

}  // namespace

// Dials; where the process has no descriptor left, as soon as one of ours has gone back.
template <typename Dial>
auto client::dial_later(Dial dial_once) -> std::invoke_result_t<Dial&> {
    constexpr int tries_alone_max = 4;  // a descriptor may go back a little after its connection has ended
    constexpr duration longest_pause = std::chrono::seconds(1);
    std::optional<detail::connection_pool::shortage> shortage;
    int tries_alone = 0;
    for (duration pause = std::chrono::milliseconds(10);; pause = std::min(2 * pause, longest_pause)) {
        try {
            co_return co_await dial_once();
        } catch (const std::system_error& failure) {
            if (!is_shortage_of_descriptors(failure.code())) {
                throw;
            }
            if (!shortage) {
                shortage.emplace(pool_);
            }
            tries_alone = shortage->others_may_end() ? 0 : tries_alone + 1;
            if (tries_alone > tries_alone_max) {
                throw;
            }
        }
        (void)co_await move_on_after(pause, shortage->next_end());
    }
}

template <typename Stream>
task<> client::put(detail::client_request& asked, Stream made, detail::connection_lease& lease) {
    const url& target = asked.chain.current();
    const bool shares = may_share(asked);
    if (asked.proxy && !asked.asks_proxy()) {
        asked.timings.tunnelled = now();
    }
    if (target.is_secure()) {
        auto shaking = secure().over(std::move(made), target.host(), asked.options.tls_handshake, shares);
        detail::secured_stream secured = co_await timeout_at(asked.deadline, std::move(shaking));
        asked.timings.secured = now();
        if (secured.http2) {
            lease.share(std::move(secured.stream), true);
        } else {
            lease.put(std::move(secured.stream));
        }
    } else if (shares) {
        lease.share(any_stream(std::move(made)), false);
    } else {
        lease.put(any_stream(std::move(made)));
    }
}

// Gives the lease a new connection.
task<> client::connect(detail::client_request& asked, detail::connection_lease& lease) {
    if (unix_socket_) {
        co_await connect_to_socket(asked, lease);
        co_return;
    }
    auto dialling = dial_later([&] { return dial(asked); });
    tcp_stream made = co_await timeout_at(asked.deadline, std::move(dialling));
    if (asked.proxy && !asked.asks_proxy()) {
        made = co_await timeout_at(asked.allow(asked.options.connect), reach(asked, std::move(made)));
    }
    co_await put(asked, std::move(made), lease);
}

task<> client::connect_to_socket(detail::client_request& asked, detail::connection_lease& lease) {
    asked.timings.dialled = now();
    auto dialling =
        dial_later([&] { return unix_stream::connect(*unix_socket_, {.timeout = asked.options.connect}); });
    unix_stream made = co_await timeout_at(asked.deadline, std::move(dialling));
    asked.timings.connected = now();
    co_await put(asked, std::move(made), lease);
}

task<tcp_stream> client::dial(detail::client_request& asked) {
    const url& peer = asked.proxy ? *asked.proxy : asked.chain.current();
    const auto given = addresses_.find(place_to_dial(peer));
    asked.addresses = given != addresses_.end() ? given->second : std::vector<address>();
    asked.timings.dialled = now();
    connect_options how = dialling_;
    how.timeout = asked.options.connect;
    how.addresses = asked.addresses;
    how.resolved_at = &asked.timings.resolved;
    tcp_stream made = co_await connect_to_host(peer.host(), peer.port(), how);
    asked.timings.connected = now();
    co_return made;
}

void client::use_addresses(std::string_view host, int port, std::vector<address> instead) {
    const endpoint checked(address(), port);  // throws naming the port
    const std::string authority = std::string(host) + ":" + std::to_string(checked.port());
    std::string place = place_to_dial(url::parse("http://" + authority));
    if (instead.empty()) {
        addresses_.erase(place);
    } else {
        addresses_.insert_or_assign(std::move(place), std::move(instead));
    }
}

}  // namespace leat::http
