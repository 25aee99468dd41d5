// SPDX-License-Identifier: MIT
#include <leat/proxied_listener.hpp>

namespace leat {

task<> proxied_stream::handshake() {
    if (!header_is_due_) {
        co_return;
    }
    const proxy_header header = co_await recv_proxy_header(*this);
    header_is_due_ = false;  // and not before: the rest of one that was cut off is no header
    if (header.from) {
        set_remote_endpoint(*header.from);
    }
}

task<proxied_stream> proxied_listener::accept() {
    for (;;) {
        tcp_stream accepted = co_await below_.accept();
        const bool by_proxy = any_contains(options_.proxies, accepted.remote_endpoint().address());
        if (by_proxy || options_.direct) {
            co_return proxied_stream(std::move(accepted), by_proxy);
        }
        accepted.reset();
    }
}

}  // namespace leat
