// SPDX-License-Identifier: MIT
// tls::listener: a listener whose connections speak TLS, over any other one. serve() shakes hands, within
// serve_options::handshake, before its handler gets the stream:
//
//   co_await leat::serve(leat::tls::listener(leat::tcp_listener::bind({"0.0.0.0", 8443}), shown), echo);
//
// where `echo` is a handler of leat::tls::stream<leat::tcp_stream>.
#pragma once

#include <leat/core/deferred.hpp>
#include <leat/task.hpp>
#include <leat/tls/stream.hpp>

#include <string>
#include <utility>

namespace leat::tls {

template <typename Below>
class listener {
public:
    using transport_type = leat::detail::given_by_awaiting<decltype(std::declval<Below&>().accept())>;

    // `shared` lives as long as the listener does; context::reload() gives it a new certificate.
    listener(Below below, const context& shared) noexcept : below_(std::move(below)), shared_(&shared) {}
    listener(Below below, const context&& shared) = delete;

    // Gives a stream whose handshake is still to come: its first operation shakes hands, or handshake().
    // Errors, and what cancelling it does, are those of the listener below.
    task<stream<transport_type>> accept() {
        transport_type accepted = co_await below_.accept();
        co_return stream<transport_type>(std::move(accepted), *shared_);
    }
    void close() noexcept { below_.close(); }

    [[nodiscard]] auto local_endpoint() const
        requires requires(const Below& b) { b.local_endpoint(); }
    {
        return below_.local_endpoint();
    }

private:
    Below below_;
    const context* shared_;
};

}  // namespace leat::tls
