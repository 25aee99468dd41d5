// SPDX-License-Identifier: MIT
#include <leat/http/client.hpp>

#include <leat/connect.hpp>
#include <leat/core/duration_text.hpp>
#include <leat/http/core/redirect.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace leat::http {
namespace {

constexpr std::uint64_t in_memory_max = std::uint64_t(64) << 20;

// "example.org:443": what CONNECT asks a proxy for.
std::string host_and_port(const url& of) {
    std::string text = of.origin();
    text.erase(0, text.find("//") + 2);
    return text;
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) noexcept {
    return std::ranges::any_of(
        names, [&](std::string_view each) { return detail::equal_ignoring_case(name, each); });
}

// Fields that are for the origin they were given for, and nobody else.
bool is_secret(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"Authorization", "Proxy-Authorization", "Cookie", "Cookie2"};
    return is_one_of(name, names);
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

bool is_shortage_of_descriptors(const std::error_code& code) noexcept {
    return code == std::errc::too_many_files_open || code == std::errc::too_many_files_open_in_system;
}

}  // namespace

// One request of a user's, and how far it has come.
struct client::exchange {
    exchange(std::string_view asked_method, url first, const get_options& given, const headers& with)
        : method(asked_method),
          chain(std::move(first), given.redirects),
          asked(chain.current().to_string()),
          credentials(chain.current().credentials()),
          options(given),
          fields(with),
          deadline(after(now(), given.total)) {}

    // The deadline of a step that may take `length`.
    time_point allow(duration length) {
        allowed = length;
        return std::min(after(now(), length), deadline);
    }
    [[nodiscard]] std::string named() const {
        return chain.redirected() ? asked + " (redirected to " + short_url(chain.current().to_string()) + ")"
                                  : asked;
    }
    [[nodiscard]] std::string late() const {
        return now() >= deadline ? "not done within " + leat::detail::duration_text(options.total)
                                 : "no answer within " + leat::detail::duration_text(allowed);
    }
    void follow(const response& head) {
        const std::string before = chain.current().origin();
        chain.follow(head);
        const url& next = chain.current();
        if (next.has_credentials() || next.origin() != before) {
            credentials = next.credentials();
        }
    }
    [[nodiscard]] detail::parser_limits limits() const {
        return {.head_bytes = options.header_bytes};  // the body's limit is not for that of a redirect
    }

    std::string_view method;
    detail::redirect_chain chain;
    std::string asked;        // the URL that the user gave
    std::string credentials;  // for the current origin
    const get_options& options;
    const headers& fields;
    time_point deadline;  // of all of it
    duration allowed = duration::zero();
    std::optional<url> proxy;
    std::string bytes;  // the request
    int attempts = 1;   // of all its requests, but for redirects
};

client::client(const client_options& options)
    : user_agent_(options.user_agent),
      accept_encodings_(options.accept_encodings),
      proxies_(options.environment_proxies ? proxies::from_environment() : proxies()),
      insecure_(options.insecure),
      name_servers_(options.names.servers),
      names_(options.names),
      pool_({.per_place = options.connections_per_host,
             .idle = options.idle_connections,
             .idle_time = options.idle_connection_time}) {
    names_.servers = name_servers_;
    check(options.connections_per_host > 0, "a client may have at least one connection to a host");
    if (!detail::is_field_value(user_agent_)) {
        throw std::invalid_argument("user_agent holds a line break or another control character");
    }
    if (!options.ca_file.empty()) {
        secure_ = std::make_unique<detail::secure_transport>(detail::trust{options.ca_file, insecure_});
    }
}

detail::secure_transport& client::secure() {
    if (secure_ == nullptr) {
        secure_ = std::make_unique<detail::secure_transport>(detail::trust{{}, insecure_});
    }
    return *secure_;
}

task<fetched> client::get(std::string url, get_options options, http::headers fields) {
    options.body_bytes = options.body_bytes.value_or(in_memory_max);
    response_stream reply = co_await request("GET", std::move(url), options, fields);
    std::string body = co_await reply.read_all(*options.body_bytes);
    fetched whole(reply);
    whole.body = std::move(body);
    co_return whole;
}

task<fetched> client::head(std::string url, get_options options, http::headers fields) {
    response_stream reply = co_await request("HEAD", std::move(url), options, fields);
    co_return fetched(reply);
}

task<response_stream> client::open(std::string url, get_options options, http::headers fields) {
    co_return co_await request("GET", std::move(url), options, fields);
}

task<response_stream> client::request(std::string_view method, std::string text, const get_options& options,
                                      const headers& fields) {
    refuse_fields_of_the_client(fields);
    exchange asked(method, url::parse(text), options, fields);
    try {
        co_return co_await follow(asked);
    } catch (const timed_out& failure) {
        throw request_error(failure.code(), asked.named() + ": " + asked.late());
    } catch (const std::system_error& failure) {
        throw request_error(failure.code(), asked.named() + ": " + failure.what());
    }
}

task<response_stream> client::follow(exchange& asked) {
    for (;;) {
        response_stream reply = co_await send(asked);
        if (!detail::redirect_chain::is_redirect(reply.head())) {
            if (reply.status() == 206 && !asked.fields.contains("Range")) {
                throw request_error(error::unasked_range, make_error_code(error::unasked_range).message());
            }
            reply.begin_decoding(asked.named(), accept_encodings_ && reply.status() != 206 &&
                                                    !asked.fields.contains("Accept-Encoding"));
            co_return reply;
        }
        co_await reply.discard();
        asked.follow(reply.head());
    }
}

task<response_stream> client::send(exchange& asked) {
    const url target = asked.chain.current();
    asked.proxy = proxies_.find(target);
    std::string place = target.origin();
    if (asked.proxy) {
        place =
            target.is_secure() ? place + " via " + asked.proxy->origin() : "any via " + asked.proxy->origin();
    }
    write_request(asked);
    detail::connection_lease lease = co_await timeout_at(asked.deadline, pool_.lease(place));
    bool stale = false;
    if (lease.has_connection()) {
        const bool may_repeat = asked.options.repeat;
        try {
            const time_point deadline = asked.allow(asked.options.first_byte);
            co_await lease->exchange(asked.method, asked.bytes, asked.limits(), deadline);
            stale = may_repeat && lease->head().status == 408;  // said, it may be, to the idle connection
        } catch (const timed_out&) {
            throw;
        } catch (const std::system_error&) {
            if (!may_repeat || !lease->silent()) {
                throw;
            }
            stale = true;  // the server had closed it, perhaps before it saw the request: GET may be repeated
        }
        if (stale) {
            ++asked.attempts;
        }
    }
    if (stale || !lease.has_connection()) {
        lease.close_connection();
        any_stream made = co_await connect(asked);
        lease.put(std::move(made));
        const time_point deadline = asked.allow(asked.options.first_byte);
        co_await lease->exchange(asked.method, asked.bytes, asked.limits(), deadline);
    }
    co_return response_stream(std::move(lease), target, asked.options, asked.deadline, asked.attempts);
}

task<any_stream> client::connect(exchange& asked) {
    const url& target = asked.chain.current();
    tcp_stream made = co_await timeout_at(asked.deadline, dial_later(asked));
    if (!target.is_secure()) {
        co_return any_stream(std::move(made));
    }
    if (asked.proxy) {
        made = co_await tunnel(asked, std::move(made));
    }
    co_return co_await timeout_at(asked.deadline,
                                  secure().over(std::move(made), target.host(), asked.options.tls_handshake));
}

task<tcp_stream> client::dial(exchange& asked) {
    const url& peer = asked.proxy ? *asked.proxy : asked.chain.current();
    return connect_to_host(peer.host(), peer.port(), {.timeout = asked.options.connect, .names = names_});
}

// Dials; where the process has no descriptor left, as soon as one of ours has gone back.
task<tcp_stream> client::dial_later(exchange& asked) {
    constexpr int tries_alone_max = 4;  // a descriptor may go back a little after its connection has ended
    constexpr duration longest_pause = std::chrono::seconds(1);
    std::optional<detail::connection_pool::shortage> shortage;
    int tries_alone = 0;
    for (duration pause = std::chrono::milliseconds(10);; pause = std::min(2 * pause, longest_pause)) {
        try {
            co_return co_await dial(asked);
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

task<tcp_stream> client::tunnel(exchange& asked, tcp_stream below) {
    const std::string place = host_and_port(asked.chain.current());
    std::string bytes = "CONNECT " + place + " HTTP/1.1\r\n";
    detail::append_field(bytes, "Host", place);
    if (asked.proxy->has_credentials()) {
        detail::append_field(bytes, "Proxy-Authorization",
                             detail::basic_authorization(asked.proxy->credentials()));
    }
    detail::append_blank_line(bytes);
    detail::client_connection proxy{any_stream(std::move(below))};
    const time_point deadline = asked.allow(asked.options.connect);
    co_await proxy.exchange("CONNECT", bytes, asked.limits(), deadline);
    const int status = proxy.head().status;
    if (status < 200 || status > 299 || proxy.has_unread_bytes()) {
        throw request_error(std::make_error_code(std::errc::connection_refused),
                            "the proxy " + asked.proxy->origin() + " answered CONNECT " + place + " with " +
                                std::to_string(status) + " " + std::string(reason_phrase(status)));
    }
    any_stream stream = proxy.take_stream();
    co_return std::move(*stream.get_if<tcp_stream>());
}

void client::write_request(exchange& asked) const {
    const url& target = asked.chain.current();
    const bool whole_url = asked.proxy && !target.is_secure();
    const auto sent = [&](std::string_view name) {
        return !(asked.chain.left_origin() && is_secret(name)) && asked.fields.contains(name);
    };
    std::string& out = asked.bytes;
    out.assign(asked.method).append(" ");
    const std::string host = target.authority();
    if (whole_url) {
        out.append("http://").append(host);  // without a zone, which means nothing to the proxy
    }
    out.append(target.request_target()).append(" HTTP/1.1\r\n");
    detail::append_field(out, "Host", host);
    if (!user_agent_.empty() && !sent("User-Agent")) {
        detail::append_field(out, "User-Agent", user_agent_);
    }
    if (!sent("Accept")) {
        detail::append_field(out, "Accept", "*/*");
    }
    if (accept_encodings_ && !sent("Accept-Encoding") && !sent("Range")) {  // a part of one cannot be undone
        detail::append_field(out, "Accept-Encoding", detail::accept_encoding());
    }
    if (!asked.credentials.empty() && !sent("Authorization")) {
        detail::append_field(out, "Authorization", detail::basic_authorization(asked.credentials));
    }
    if (whole_url && asked.proxy->has_credentials() && !sent("Proxy-Authorization")) {
        detail::append_field(out, "Proxy-Authorization",
                             detail::basic_authorization(asked.proxy->credentials()));
    }
    for (const headers::field field : asked.fields) {
        if (sent(field.name)) {
            detail::append_field(out, field.name, field.value);
        }
    }
    detail::append_blank_line(out);
}

}  // namespace leat::http
