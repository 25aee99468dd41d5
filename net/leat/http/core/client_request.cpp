// SPDX-License-Identifier: MIT
#include <leat/http/core/client_request.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/http/error.hpp>
#include <leat/http/request_error.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

namespace leat::http::detail {
namespace {

bool is_one_of(std::string_view name, std::span<const std::string_view> names) noexcept {
    return std::ranges::any_of(names, [&](std::string_view each) { return equal_ignoring_case(name, each); });
}

// Fields that are for the origin they were given for, and nobody else.
bool is_secret(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"Authorization", "Proxy-Authorization", "Cookie", "Cookie2"};
    return is_one_of(name, names);
}

// Those that tell of a body.
bool describes_body(std::string_view name) noexcept {
    constexpr std::string_view prefix = "Content-";
    return equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// Fields that say how this request is framed, what becomes of this connection, or whom it leads to. A caller
// who could set them could put the connection out of step.
void refuse_fields_of_the_client(const headers& fields) {
    static constexpr std::string_view names[] = {
        "Connection", "Content-Length",   "Expect",  "Host",    "HTTP2-Settings",   "Keep-Alive",
        "TE",         "Proxy-Connection", "Trailer", "Upgrade", "Transfer-Encoding"};
    for (const headers::field field : fields) {
        if (is_one_of(field.name, names)) {
            throw std::invalid_argument("the field " + std::string(field.name) +
                                        " is the HTTP client's own: it cannot be given with a request");
        }
    }
}

std::string checked(std::string method) {
    if (!is_token(method) || method == "CONNECT") {
        throw std::invalid_argument(method == "CONNECT"
                                        ? "CONNECT is the HTTP client's own: no request can have it"
                                        : "a request's method is empty or holds a character that methods "
                                          "may not");
    }
    return method;
}

}  // namespace

client_request::client_request(std::string asked_method, url first, request_body given_body,
                               const request_options& given, const headers& with)
    : method(checked(std::move(asked_method))),
      chain(std::move(first), given.redirects),
      credentials(chain.current().credentials()),
      body(std::move(given_body)),
      options(given),
      fields(with),
      timings{.asked = now()},
      deadline(after(timings.asked, given.total)),
      retries_(given.retry),
      expects_(given.await_continue.has_value()) {
    refuse_fields_of_the_client(fields);
}

void client_request::begin_try() {
    timings = {.asked = timings.asked, .begun = now()};
}

time_point client_request::allow(duration length) {
    allowed = length;
    return std::min(after(now(), length), deadline);
}

std::string client_request::named() const {
    const std::string current = chain.current().to_string();
    return chain.redirected() ? first_url + " (redirected to " + short_url(current) + ")" : current;
}

std::string client_request::late() const {
    return now() >= deadline ? "not done within " + leat::detail::duration_text(options.total)
                             : "no answer within " + leat::detail::duration_text(allowed);
}

bool client_request::is_idempotent() const noexcept {
    static constexpr std::string_view names[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return std::ranges::find(names, method) != std::end(names);
}

bool client_request::can_repeat() const noexcept {
    return is_idempotent() && body.can_begin() && body.failure() == nullptr;
}

bool client_request::may_repeat() const noexcept {
    return options.repeat && can_repeat();
}

std::optional<duration> client_request::within_deadline(std::optional<duration> wait) const {
    return wait && after(now(), *wait) < deadline ? wait : std::nullopt;
}

std::optional<duration> client_request::wait_after(std::error_code code) {
    return can_repeat() ? within_deadline(retries_.after_error(code)) : std::nullopt;
}

std::optional<duration> client_request::wait_after(const response& head) {
    return can_repeat() ? within_deadline(retries_.after_answer(head)) : std::nullopt;
}

void client_request::become_get() {
    method = "GET";
    body.drop();
    lost_body_ = true;
}

void client_request::follow(const response& head) {
    const std::string before = chain.current().origin();
    if (!chain.redirected()) {
        first_url = chain.current().to_string();
    }
    chain.follow(head);
    const url& next = chain.current();
    if (next.has_credentials() || next.origin() != before) {
        credentials = next.credentials();
    }
    const bool of_post = (head.status == 301 || head.status == 302) && method == "POST";
    const bool of_any = head.status == 303 && method != "GET" && method != "HEAD";
    if (of_post || of_any) {
        become_get();
    }
    if (!body.can_begin()) {
        throw request_error(error::body_not_repeatable, "a redirect (" + std::to_string(head.status) +
                                                            ") asks for the body again, which can be sent "
                                                            "only once");
    }
}

bool client_request::is_withheld(std::string_view name) const {
    return (chain.left_origin() && is_secret(name)) || (lost_body_ && describes_body(name));
}

bool client_request::is_sent(std::string_view name) const {
    return !is_withheld(name) && fields.contains(name);
}

void client_request::write_body_fields() {
    if (const auto length = body.length()) {
        append_field(bytes, "Content-Length", *length);
    } else if (body.exists()) {
        append_field(bytes, "Transfer-Encoding", "chunked");
    } else if (method == "POST" || method == "PUT" || method == "PATCH") {
        append_field(bytes, "Content-Length", std::uint64_t(0));  // RFC 9110 8.6
    }
    if (expects()) {
        append_field(bytes, "Expect", "100-continue");
    }
}

bool client_request::answers_challenge(const response& head, std::optional<digest_challenge>& given) {
    constexpr int challenges_max = 3;  // a server may find each nonce too old
    if (head.status != 401 || options.login != login::digest || credentials.empty() ||
        is_sent("Authorization") || !body.can_begin()) {
        return false;
    }
    given = find_digest_challenge(head.headers);
    return given && (++challenges_ == 1 || (given->stale && challenges_ <= challenges_max));
}

std::string client_request::target() const {
    const url& current = chain.current();  // without a zone, which means nothing to the proxy
    return (asks_proxy() ? "http://" + current.authority() : std::string()) + current.request_target();
}

void client_request::write_head(std::string_view agent, std::string_view encodings,
                                std::string_view authorization, std::string_view cookies) {
    bytes.assign(method).append(" ");
    bytes.append(target()).append(" HTTP/1.1\r\n");
    append_field(bytes, "Host", chain.current().authority());
    if (!agent.empty() && !is_sent("User-Agent")) {
        append_field(bytes, "User-Agent", agent);
    }
    if (!is_sent("Accept")) {
        append_field(bytes, "Accept", "*/*");
    }
    if (!encodings.empty() && !is_sent("Accept-Encoding") && !is_sent("Range")) {
        append_field(bytes, "Accept-Encoding", encodings);  // a part of one could not be undone
    }
    if (!authorization.empty() && !is_sent("Authorization")) {
        append_field(bytes, "Authorization", authorization);
    }
    if (!cookies.empty() && !is_sent("Cookie")) {
        append_field(bytes, "Cookie", cookies);
    }
    if (asks_proxy() && proxy->has_credentials() && !is_sent("Proxy-Authorization")) {
        append_field(bytes, "Proxy-Authorization", basic_authorization(proxy->credentials()));
    }
    write_body_fields();
    if (upgrades()) {
        append_field(bytes, "Connection", "Upgrade");
        append_field(bytes, "Upgrade", upgrade);
    }
    for (const headers::field field : fields) {
        if (!is_withheld(field.name)) {
            append_field(bytes, field.name, field.value);
        }
    }
    append_blank_line(bytes);
}

}  // namespace leat::http::detail
