// SPDX-License-Identifier: MIT
// lent_listener: for the tests of servers.
#pragma once

#include <leat/tcp.hpp>

namespace leat::testing {

// A listener that the test can close while serve() has it.
class lent_listener {
public:
    explicit lent_listener(tcp_listener& owned) noexcept : owned_(&owned) {}
    task<tcp_stream> accept() { return owned_->accept(); }
    void close() noexcept { owned_->close(); }

private:
    tcp_listener* owned_;
};

}  // namespace leat::testing
