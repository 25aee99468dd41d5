// SPDX-License-Identifier: MIT
// A client of a server that waits until descriptors are ready: what such a server must remember between two
// moments at which it may receive or send, because no call waits there.
// Invariant: nothing is received while bytes are unsent, so a client that does not read costs 64 KiB at most.
#pragma once

#include <leat/fd.hpp>

#include <cerrno>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace io_models {

enum class step_result { moved, must_wait, gone };

class connection {
public:
    explicit connection(leat::fd client) : client_(std::move(client)) {}

    [[nodiscard]] int descriptor() const { return client_.get(); }
    // Whether it waits for room to send; otherwise it waits for something to receive.
    [[nodiscard]] bool waits_to_send() const { return !unsent_.empty(); }

    // Sends what is unsent, or else receives once and sends that back. It never waits.
    [[nodiscard]] step_result step() {
        if (waits_to_send()) {
            return send_some(std::exchange(unsent_, {}));
        }
        static char buffer[65536];
        const ssize_t received = ::recv(client_.get(), buffer, sizeof buffer, 0);
        if (received <= 0) {
            return received < 0 && errno == EAGAIN ? step_result::must_wait : step_result::gone;
        }
        return send_some({buffer, static_cast<std::size_t>(received)});
    }

private:
    step_result send_some(std::string_view bytes) {
        const ssize_t sent = ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            return step_result::gone;
        }
        bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
        unsent_ = bytes;
        return unsent_.empty() ? step_result::moved : step_result::must_wait;
    }

    leat::fd client_;
    std::string unsent_;
};

}  // namespace io_models
