// SPDX-License-Identifier: MIT
#include <leat/http/client.hpp>

#include <leat/http/cookie_jar.hpp>
#include <leat/http/core/client_request.hpp>
#include <leat/http/core/random_text.hpp>
#include <leat/http/core/serve_connection.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace leat::http {
namespace {

constexpr std::uint64_t in_memory_max = std::uint64_t(64) << 20;

std::optional<unix_endpoint> socket_at(std::string_view place) {
    if (place.empty()) {
        return std::nullopt;
    }
    return place.starts_with('@') ? unix_endpoint::abstract(place.substr(1)) : unix_endpoint(place);
}

// What a login is valid for.
std::string place_of_login(const detail::client_request& asked) {
    return asked.chain.current().origin() + " " + asked.credentials;
}

// Not of the request's body.
bool is_of_connection(const std::error_code& code) noexcept {
    return code != std::errc::timed_out && code != error::body_length_differs;
}

// What the user's own source of a body has thrown is the user's.
void throw_if_of_source(const detail::outgoing_body& body) {
    if (body.failure() != nullptr) {
        std::rethrow_exception(body.failure());
    }
}

}  // namespace

client::client(const client_options& options)
    : user_agent_(options.user_agent),
      accept_encodings_(options.accept_encodings),
      versions_(detail::has_http2() ? options.versions : http_versions::only_1_1),
      proxies_(options.environment_proxies ? proxies::from_environment() : proxies()),
      insecure_(options.insecure),
      unix_socket_(socket_at(options.unix_socket)),
      name_servers_(options.names.servers),
      dialling_{.names = options.names,
                .local = options.local,
                .keep_alive = options.keep_alive,
                .user_timeout = options.user_timeout,
                .socket = options.socket},
      pool_({.per_place = options.connections_per_host,
             .idle = options.idle_connections,
             .idle_time = options.idle_connection_time}) {
    dialling_.names.servers = name_servers_;
    check(options.connections_per_host > 0, "a client may have at least one connection to a host");
    if (!detail::is_field_value(user_agent_)) {
        throw std::invalid_argument("user_agent holds a line break or another control character");
    }
    const detail::trust whom{.ca_file = options.ca_file,
                             .insecure = options.insecure,
                             .certificate_file = options.certificate_file,
                             .key_file = options.key_file,
                             .key_log_file = options.key_log_file};
    if (whom.names_files()) {
        secure_ = std::make_unique<detail::secure_transport>(whom);
    }
}

detail::secure_transport& client::secure() {
    if (secure_ == nullptr) {
        secure_ = std::make_unique<detail::secure_transport>(detail::trust{.insecure = insecure_});
    }
    return *secure_;
}

task<fetched> client::send(std::string method, request_url url, request_body body, request_options options,
                           http::headers fields) {
    options.body_bytes = options.body_bytes.value_or(in_memory_max);
    response_stream reply =
        co_await open_request(std::move(method), std::move(url), std::move(body), options, std::move(fields));
    std::string content = co_await reply.read_all(*options.body_bytes);
    fetched whole(reply);
    whole.body = std::move(content);
    co_return whole;
}

task<response_stream> client::open_request(std::string method, request_url url, request_body body,
                                           request_options options, http::headers fields) {
    detail::client_request asked(std::move(method), std::move(url).take(), std::move(body), options, fields);
    co_await request(asked);
    co_return *std::move(asked.reply);
}

task<upgraded_stream> client::upgrade(std::string protocol, request_url url, request_options options,
                                      http::headers fields) {
    if (!detail::is_token(protocol)) {
        throw std::invalid_argument("a protocol to go over to is a name as Upgrade may have it");
    }
    detail::client_request asked("GET", std::move(url).take(), {}, options, fields);
    asked.upgrade = std::move(protocol);
    co_await request(asked);
    response_stream reply = *std::move(asked.reply);
    if (reply.status() != 101 || !reply.headers().contains_token("Connection", "upgrade") ||
        !reply.headers().contains_token("Upgrade", asked.upgrade)) {
        co_await refuse_upgrade(asked, std::move(reply));
    }
    co_return upgraded_stream{
        .head = std::move(reply.head()), .url = reply.url(), .stream = reply.lease_.own().take_stream()};
}

// Throws, with as much of the answer as says why.
task<> client::refuse_upgrade(const detail::client_request& asked, response_stream reply) {
    constexpr std::size_t body_max = 64 * 1024;
    std::string text = asked.named() + ": asked for " + asked.upgrade + ", the server answered " +
                       std::to_string(reply.status()) + " " + std::string(reason_phrase(reply.status()));
    response answer = std::move(reply.head());
    try {
        while (answer.body.size() < body_max) {
            const std::string_view piece = co_await reply.read();
            if (piece.empty()) {
                break;
            }
            answer.body += piece.substr(0, body_max - answer.body.size());
        }
    } catch (const std::system_error&) {  // what has come may say enough
    }
    throw upgrade_refused(text, std::move(answer));
}

task<> client::request(detail::client_request& asked) {
    try {
        co_await follow(asked);
    } catch (const timed_out& failure) {
        throw_if_of_source(asked.body);
        throw request_error(failure.code(), asked.named() + ": " + asked.late());
    } catch (const std::system_error& failure) {
        throw_if_of_source(asked.body);
        throw request_error(failure.code(), asked.named() + ": " + failure.what());
    }
}

task<> client::follow(detail::client_request& asked) {
    for (;;) {
        co_await (asked.options.retry.tries > 1 ? send_with_retries(asked) : send_once(asked));
        response_stream& reply = *asked.reply;
        if (reply.status() == 417 && asked.expects() && asked.body.can_begin()) {
            co_await reply.discard();
            asked.expect_no_more();
            ++asked.attempts;
            continue;
        }
        if (take_challenge(asked, reply.head())) {
            co_await reply.discard();
            continue;
        }
        if (reply.status() == 101 && asked.upgrades()) {
            co_return;
        }
        if (!detail::redirect_chain::is_redirect(reply.head())) {
            if (reply.status() == 206 && !asked.fields.contains("Range")) {
                throw request_error(error::unasked_range, make_error_code(error::unasked_range).message());
            }
            const bool decode =
                accept_encodings_ && reply.status() != 206 && !asked.fields.contains("Accept-Encoding");
            reply.begin_decoding(asked.chain.redirected() ? asked.named() : std::string(), decode);
            co_return;
        }
        co_await reply.discard();
        asked.follow(reply.head());
    }
}

// Those of the URL win. A redirect to another origin has taken those of the one before.
void client::find_credentials(detail::client_request& asked) const {
    const url& target = asked.chain.current();
    const std::string user = asked.credentials.substr(0, asked.credentials.find(':'));
    if (asked.credentials.size() > user.size() + 1) {  // a password, too
        return;
    }
    const netrc_login* found = netrc_.find(target.host(), user);
    if (found == nullptr && !asked.chain.left_origin()) {
        found = netrc_.find_default(user);
    }
    if (found != nullptr) {
        asked.credentials = found->user + ":" + found->password;
    }
}

std::string client::authorize(const detail::client_request& asked) {
    if (asked.credentials.empty()) {
        return {};
    }
    if (asked.options.login == login::basic) {
        return detail::basic_authorization(asked.credentials);
    }
    const auto found = logins_.find(place_of_login(asked));
    return found != logins_.end() ? found->second.authorize(asked.credentials, asked.method, asked.target())
                                  : std::string();
}

// True: `head` is a challenge, and the request is to be sent again with the answer.
bool client::take_challenge(detail::client_request& asked, const response& head) {
    constexpr std::size_t logins_max = 1000;
    std::optional<detail::digest_challenge> given;
    if (!asked.answers_challenge(head, given)) {
        return false;
    }
    if (logins_.size() >= logins_max) {
        logins_.clear();
    }
    logins_.insert_or_assign(place_of_login(asked),
                             detail::digest_session(std::move(*given), detail::random_text()));
    ++asked.attempts;
    return true;
}

// Sends it where it goes now, as often as request_options::retry says.
task<> client::send_with_retries(detail::client_request& asked) {
    for (;;) {
        std::optional<duration> wait;
        try {
            co_await send_once(asked);
            wait = asked.wait_after(asked.reply->head());
            if (!wait) {
                co_return;
            }
            co_await asked.reply->discard();
        } catch (const std::system_error& failure) {
            wait = asked.wait_after(failure.code());
            if (!wait) {
                throw;
            }
        }
        ++asked.attempts;
        co_await sleep(*wait);
    }
}

// Connections to one place are alike.
std::string client::place_of(const detail::client_request& asked) const {
    std::string place = asked.chain.current().origin();
    if (asked.proxy) {
        place = (asked.asks_proxy() ? "any" : place) + (asked.proxy->socks ? " by SOCKS via " : " via ") +
                asked.proxy->origin();
    }
    if (asked.upgrades() && speaks_http2(asked)) {
        place += " over HTTP/1.1";
    }
    return place;
}

// Where the request goes, if the server does so, too.
bool client::speaks_http2(const detail::client_request& asked) const noexcept {
    if (asked.asks_proxy()) {
        return false;
    }
    return asked.chain.current().is_secure() ? versions_ != http_versions::only_1_1
                                             : versions_ == http_versions::prior_knowledge;
}

bool client::may_share(const detail::client_request& asked) const noexcept {
    return !asked.upgrades() && speaks_http2(asked);
}

// Sends it where it goes now; again if a kept connection had ended, or the server has not looked at it.
task<> client::send_once(detail::client_request& asked) {
    constexpr int refusals_max = 4;  // a server may end each connection after some requests
    const url& target = asked.chain.current();
    asked.proxy = unix_socket_ ? std::nullopt : proxies_.find(target);
    find_credentials(asked);
    asked.write_head(user_agent_, accept_encodings_ ? detail::accept_encoding() : "", authorize(asked),
                     cookies_ != nullptr ? cookies_->cookies_for(target) : std::string());
    detail::connection_lease lease;
    bool again = false;  // a kept connection had ended
    for (int refusals = 0;; ++asked.attempts) {
        asked.begin_try();
        if (!lease.is_held()) {
            lease = co_await timeout_at(asked.deadline, pool_.lease(place_of(asked), may_share(asked)));
        }
        const bool own = lease.has_connection() && !lease.is_shared();
        if (own && (again || (!asked.is_idempotent() && !lease.own().is_quiet()))) {
            lease.close_connection();  // known before a byte was sent
        }
        const bool kept = lease.has_connection();
        asked.timings.reused = kept;
        if (!kept) {
            co_await connect(asked, lease);
        }
        try {
            co_await exchange(asked, *lease);
            const bool late = kept && own && lease->head().status == 408;  // said to the idle connection,
            if (!late || again || !asked.may_repeat()) {                   // perhaps
                break;
            }
            again = true;
        } catch (const timed_out&) {
            throw;
        } catch (const std::system_error& failure) {
            if (lease->refused()) {
                if (!asked.body.can_begin() || ++refusals > refusals_max) {
                    throw;
                }
            } else if (kept && !again && lease->silent() && asked.may_repeat() &&
                       is_of_connection(failure.code())) {
                again = true;  // the server had closed it, perhaps before it saw the request
            } else {
                throw;
            }
        }
        if (lease.is_shared()) {
            lease.drop();
        } else {
            lease.close_connection();
        }
    }
    asked.timings.sent = lease->sent_at();
    asked.timings.headed = now();
    keep_cookies(target, lease->head());
    asked.reply = response_stream(std::move(lease), target, asked);
}

void client::keep_cookies(const url& from, const response& head) {
    if (cookies_ != nullptr) {
        for (const std::string_view each : head.headers.get_all("Set-Cookie")) {
            cookies_->store(from, each);
        }
    }
}

task<> client::exchange(detail::client_request& asked, detail::client_exchange& on) {
    if (asked.body.exists()) {
        return exchange_with_body(asked, on);
    }
    return on.exchange(asked.method, asked.bytes, asked.limits(), asked.allow(asked.options.first_byte));
}

task<> client::exchange_with_body(detail::client_request& asked, detail::client_exchange& on) {
    const auto continuing = asked.expects() ? asked.options.await_continue : std::nullopt;
    co_await timeout_at(asked.deadline, on.send({.method = asked.method,
                                                 .head = asked.bytes,
                                                 .body = asked.body,
                                                 .limits = asked.limits(),
                                                 .send = asked.options.send,
                                                 .await_continue = continuing}));
    co_await on.receive_head(asked.allow(asked.options.first_byte));
}

}  // namespace leat::http
