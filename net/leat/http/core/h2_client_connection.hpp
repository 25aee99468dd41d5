// SPDX-License-Identifier: MIT
// h2_client_connection: one connection of HTTP/2 of the client: receives and sends for all of its exchanges.
// begin_http2() of shared_connection.hpp makes one.
//
// One task receives, another one sends; requests only wait for what these bring, so one that is cancelled, or
// does not read, disturbs no other. What all requests of a turn want to say leaves together.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/cancel_scope.hpp>
#include <leat/core/bystanders.hpp>
#include <leat/http/core/h2_client_session.hpp>
#include <leat/http/core/shared_connection.hpp>
#include <leat/sync/event.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

class h2_client_connection final : public shared_connection {
public:
    // `scheme` is that of the URLs: "https". Throws std::bad_alloc.
    h2_client_connection(any_stream stream, std::string_view scheme);

    [[nodiscard]] task<> run() override;
    [[nodiscard]] std::unique_ptr<client_exchange> begin() override;
    void retire() noexcept override;
    [[nodiscard]] bool retired() const noexcept override { return retired_ || session_.closing(); }
    [[nodiscard]] bool has_room() const noexcept override;

    // For its exchanges. What they have told the session is sent.
    [[nodiscard]] h2_client_session& session() noexcept { return session_; }
    [[nodiscard]] std::string_view scheme() const noexcept { return scheme_; }
    void flush() noexcept { wanted_.set(); }
    // Something has come that was not read yet.
    [[nodiscard]] bool has_unread() const noexcept { return !stream_.is_quiet(); }
    // To be asked about, no more.
    [[nodiscard]] any_stream& stream() noexcept { return stream_; }
    // When anything came last.
    [[nodiscard]] time_point heard_at() const noexcept { return heard_at_; }

private:
    struct running;
    struct receiving;

    void note_idle(bool idle) noexcept override;
    [[nodiscard]] task<> receive_all(cancel_scope& scope);
    [[nodiscard]] task<> send_all();

    any_stream stream_;
    std::string_view scheme_;
    h2_client_session session_;
    std::string leaving_;                                // what is being sent
    event wanted_;                                       // something is to be sent
    event sent_;                                         // set for a moment when it has been
    cancel_scope* reading_ = nullptr;                    // while it receives
    std::optional<leat::detail::bystander_link> aside_;  // of the task that receives
    std::error_code failure_;                            // of the stream
    std::string failure_text_;
    time_point heard_at_;
    bool sending_ = false;
    bool sender_ended_ = false;
    bool retired_ = false;
};

}  // namespace leat::http::detail
