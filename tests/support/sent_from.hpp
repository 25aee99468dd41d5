// SPDX-License-Identifier: MIT
// sent_from: a request as from a connection that is none, for tests of functions that ask where it is from.
#pragma once

#include <leat/http/message.hpp>
#include <leat/http/served_connection.hpp>
#include <leat/sleep.hpp>

#include <optional>
#include <utility>

namespace leat::testing {

class sent_from final : public http::served_connection {
public:
    // Nothing: a Unix socket.
    explicit sent_from(std::optional<endpoint> client) : client_(client) { asked_.connection = this; }

    [[nodiscard]] http::request& asked() noexcept { return asked_; }

    [[nodiscard]] std::optional<endpoint> remote_endpoint() const override { return client_; }
    [[nodiscard]] std::optional<endpoint> local_endpoint() const override { return std::nullopt; }
    [[nodiscard]] const tls::session* tls() const noexcept override { return nullptr; }
    [[nodiscard]] task<> gone() override { co_await sleep_until(never); }
    [[nodiscard]] std::optional<std::uint64_t> acknowledged() const noexcept override { return std::nullopt; }

private:
    std::optional<endpoint> client_;
    http::request asked_;
};

}  // namespace leat::testing
