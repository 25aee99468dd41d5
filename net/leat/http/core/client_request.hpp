// SPDX-License-Identifier: MIT
// client_request: one request of a user of the HTTP client, and how far it has come: where it goes now, what
// is sent there, and how much time is left. The client moves it on.
#pragma once

#include <leat/address.hpp>
#include <leat/clock.hpp>
#include <leat/http/core/digest_auth.hpp>
#include <leat/http/core/outgoing_body.hpp>
#include <leat/http/core/parser.hpp>
#include <leat/http/core/redirect.hpp>
#include <leat/http/core/request_retries.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/proxy.hpp>
#include <leat/http/request_options.hpp>
#include <leat/http/request_timings.hpp>
#include <leat/http/response_stream.hpp>
#include <leat/http/url.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace leat::http::detail {

class client_request {
public:
    // Throws std::invalid_argument for a method that is no token, and CONNECT, and for a field that only the
    // client may set. `given` and `with` outlive it.
    client_request(std::string asked_method, url first, request_body body, const request_options& given,
                   const headers& with);

    // It is sent, or sent again, now.
    void begin_try();
    // The deadline of a step that may take `length`.
    [[nodiscard]] time_point allow(duration length);
    // For errors: the URL that the user gave, and the current one; and what has taken too long.
    [[nodiscard]] std::string named() const;
    [[nodiscard]] std::string late() const;

    // Goes where the redirect `head` says, with the method and the body that are right then (RFC 9110 15.4).
    // Throws request_error where that is forbidden, or needs a body that cannot be made again.
    void follow(const response& head);
    // It has failed without an answer: whether it may be sent once more.
    [[nodiscard]] bool may_repeat() const noexcept;
    // How long to wait before it is sent again, because it has failed with `code`, or because of the answer;
    // nothing: it is not sent again. Each counts as a try.
    [[nodiscard]] std::optional<duration> wait_after(std::error_code code);
    [[nodiscard]] std::optional<duration> wait_after(const response& head);
    // RFC 9110 9.2.2.
    [[nodiscard]] bool is_idempotent() const noexcept;
    // Whether the answer is asked for before the body is sent.
    [[nodiscard]] bool expects() const noexcept { return expects_ && body.exists(); }
    void expect_no_more() noexcept { expects_ = false; }

    // Whether it has been challenged by `head`, and can be sent again to answer that. Then `given` is that.
    [[nodiscard]] bool answers_challenge(const response& head, std::optional<digest_challenge>& given);
    // It asks to go on in another protocol.
    [[nodiscard]] bool upgrades() const noexcept { return !upgrade.empty(); }
    // A proxy is asked for a tunnel: it understands neither TLS nor another protocol.
    [[nodiscard]] bool needs_tunnel() const noexcept {
        return proxy && !proxy->socks && (chain.current().is_secure() || upgrades());
    }
    // The proxy itself answers, or asks the server.
    [[nodiscard]] bool asks_proxy() const noexcept { return proxy && !proxy->socks && !needs_tunnel(); }
    // What it asks for, as its first line says.
    [[nodiscard]] std::string target() const;

    // Makes `bytes`, the head of the request. All may be empty.
    void write_head(std::string_view agent, std::string_view encodings, std::string_view authorization,
                    std::string_view cookies);

    [[nodiscard]] parser_limits limits() const {
        return {.head_bytes = options.header_bytes};  // the body's limit is not for that of a redirect
    }

    std::string method;
    redirect_chain chain;
    std::string first_url;    // that the user gave; empty as long as it is the current one
    std::string upgrade;      // the protocol to go on in, or nothing
    std::string credentials;  // for the current origin
    outgoing_body body;
    const request_options& options;
    const headers& fields;
    request_timings timings;
    time_point deadline;  // of all of it
    duration allowed = duration::zero();
    std::optional<http::proxy> proxy;
    std::string bytes;
    std::vector<address> addresses;  // of the host that is dialled, where the user has said so
    int attempts = 1;                // of all its requests, but for redirects
    std::optional<response_stream> reply;

private:
    [[nodiscard]] bool is_sent(std::string_view name) const;
    [[nodiscard]] bool is_withheld(std::string_view name) const;
    void write_body_fields();
    void become_get();

    [[nodiscard]] bool can_repeat() const noexcept;
    [[nodiscard]] std::optional<duration> within_deadline(std::optional<duration> wait) const;

    request_retries retries_;
    int challenges_ = 0;
    bool expects_;
    bool lost_body_ = false;  // by a redirect: what describes it is not sent either
};

}  // namespace leat::http::detail
