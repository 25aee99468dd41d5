// SPDX-License-Identifier: MIT
// client: asks http and https URLs. It keeps connections for the next request, follows redirects, undoes
// compression, checks certificates, goes through the proxies of the environment, and bounds how long and how
// much each step may take.
//
//     leat::http::client client;
//     const leat::http::fetched page = co_await client.get("https://example.org/");
//     const leat::http::fetched made = co_await client.post("https://example.org/notes", "hello");
//
// Any number of tasks of one scheduler may use a client at once. Where the process has no descriptor left for
// a connection, a request closes an idle one or waits until one of the others has ended. Every failure is a
// std::system_error (mostly a request_error) whose text is one line of ASCII that begins with the URL, or
// with "bad URL" and the text that is no URL. Cancelling a request at any point closes its connection and
// leaves the client as it was.
#pragma once

#include <leat/address.hpp>
#include <leat/clock.hpp>
#include <leat/connect.hpp>
#include <leat/dns/resolve.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/core/digest_auth.hpp>
#include <leat/http/core/pool.hpp>
#include <leat/http/core/secure_transport.hpp>
#include <leat/http/netrc.hpp>
#include <leat/http/proxy.hpp>
#include <leat/http/request_body.hpp>
#include <leat/http/request_options.hpp>
#include <leat/http/request_url.hpp>
#include <leat/http/response_stream.hpp>
#include <leat/http/upgraded_stream.hpp>
#include <leat/socket_options.hpp>
#include <leat/unix_endpoint.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat::http {

// Which versions of HTTP a client speaks. HTTP/2, if leat was built with it (nghttp2): all requests to one
// origin share one connection, as many at once as the server allows; the others wait.
enum class http_versions : unsigned char {
    only_1_1,
    negotiated,       // HTTP/2 with the https servers that choose it (ALPN); else HTTP/1.1
    prior_knowledge,  // the same; and HTTP/2 for http URLs, whose servers are known to speak it
};

// What is read when the client is made.
struct client_options {
    std::string_view ca_file = {};           // trust these authorities instead of the system's
    bool insecure = false;                   // accept every certificate, of anyone
    std::string_view certificate_file = {};  // our own, then its chain, for every https server that asks
    std::string_view key_file = {};          // its private key
    std::string_view key_log_file = {};      // see tls::client_options
    std::string_view user_agent = "leat";    // empty: none is sent
    // The path of a socket of the Unix domain, or "@" and an abstract name: all connections are made to it,
    // whatever host a URL names (which the Host field, and a certificate, are still about), and through no
    // proxy. Empty: over TCP.
    std::string_view unix_socket = {};
    bool environment_proxies = true;                           // http_proxy, https_proxy, no_proxy
    bool accept_encodings = true;                              // ask for compressed bodies, and undo that
    http_versions versions = http_versions::negotiated;        // what an upgrade asks for is HTTP/1.1
    std::size_t connections_per_host = SIZE_MAX;               // further requests wait for one to be free
    std::size_t idle_connections = 100;                        // kept in all; 0: every request has a new one
    duration idle_connection_time = std::chrono::seconds(60);  // after which one is not used again
    resolve_options names = {};                                // how hosts and proxies are looked up
    // Of connections over TCP, as connect_options has them. From a local address, or with names.families,
    // only hosts with addresses of that family can be reached.
    std::optional<endpoint> local = std::nullopt;
    std::optional<keep_alive_options> keep_alive = std::nullopt;
    duration user_timeout = duration::zero();
    socket_options socket = {};
};

// A response with all of its body, decoded.
struct fetched : response {
    explicit fetched(response_stream& from)
        : response(std::move(from.head())),
          url(from.url()),
          undecoded(from.undecoded()),
          attempts(from.attempts()),
          timings(from.timings()),
          peer(from.peer()) {
        if (from.tls() != nullptr) {
            tls = *from.tls();
        }
    }
    http::url url;          // where it came from, after redirects
    std::string undecoded;  // the Content-Encoding that is still on the body, as response_stream says
    int attempts;           // above 1: requests were sent again, but for redirects
    request_timings timings;
    std::optional<endpoint> peer;  // as response_stream has it, and the next
    std::optional<tls_info> tls;
};

class cookie_jar;
namespace detail {
class client_request;
}

class client {
public:
    // Throws tls::error when a file cannot be used, std::invalid_argument for a bad user_agent.
    explicit client(const client_options& options = {});
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    // The response to a GET, of whatever status, after redirects. A redirect without a usable Location is an
    // error, and so is a partial answer to a request for the whole (206 without a Range among `fields`).
    //
    // A request with an idempotent method (RFC 9110 9.2.2: GET, HEAD, PUT, DELETE, OPTIONS, TRACE) is sent a
    // second time when the kept connection that it went on has ended without an answer, or with 408: unless
    // request_options::repeat is false. `attempts` of what is given tells of it.
    //
    // `fields` go with the request: {{"Accept", "text/plain"}}. Throws std::invalid_argument naming a field
    // that only the client itself may set: Host, and those of framing and of one connection, such as
    // Content-Length, Transfer-Encoding, Connection and Upgrade. An Authorization among them is sent instead
    // of credentials in the URL. Authorization, Proxy-Authorization and Cookie stay with the origin that they
    // were given for when a redirect leads elsewhere.
    [[nodiscard]] task<fetched> get(request_url url, request_options options = {},
                                    http::headers fields = {}) {
        return send("GET", std::move(url), {}, options, std::move(fields));
    }
    // The same; its body goes to `sink`, a function of std::string_view that may give a task, piece by piece.
    template <typename Sink>
        requires std::invocable<Sink&, std::string_view>
    [[nodiscard]] task<fetched> get(request_url url, Sink sink, request_options options = {},
                                    http::headers fields = {}) {
        response_stream reply = co_await open(std::move(url), options, std::move(fields));
        for (;;) {
            const std::string_view piece = co_await reply.read();
            if (piece.empty()) {
                break;
            }
            if constexpr (std::is_void_v<std::invoke_result_t<Sink&, std::string_view>>) {
                sink(piece);
            } else {
                co_await sink(piece);
            }
        }
        co_return fetched(reply);
    }
    // The response to a GET, to be read piece by piece.
    [[nodiscard]] task<response_stream> open(request_url url, request_options options = {},
                                             http::headers fields = {}) {
        return open_request("GET", std::move(url), {}, options, std::move(fields));
    }
    // The head of the response to a HEAD.
    [[nodiscard]] task<fetched> head(request_url url, request_options options = {},
                                     http::headers fields = {}) {
        return send("HEAD", std::move(url), {}, options, std::move(fields));
    }
    // A POST or PATCH is sent at most once: a kept connection that ends under it is an error.
    [[nodiscard]] task<fetched> post(request_url url, request_body body, request_options options = {},
                                     http::headers fields = {}) {
        return send("POST", std::move(url), std::move(body), options, std::move(fields));
    }
    [[nodiscard]] task<fetched> patch(request_url url, request_body body, request_options options = {},
                                      http::headers fields = {}) {
        return send("PATCH", std::move(url), std::move(body), options, std::move(fields));
    }
    [[nodiscard]] task<fetched> put(request_url url, request_body body, request_options options = {},
                                    http::headers fields = {}) {
        return send("PUT", std::move(url), std::move(body), options, std::move(fields));
    }
    // The response to a DELETE.
    [[nodiscard]] task<fetched> remove(request_url url, request_options options = {},
                                       http::headers fields = {}) {
        return send("DELETE", std::move(url), {}, options, std::move(fields));
    }
    // The response to an OPTIONS.
    [[nodiscard]] task<fetched> options(request_url url, request_options options = {},
                                        http::headers fields = {}) {
        return send("OPTIONS", std::move(url), {}, options, std::move(fields));
    }

    // Any method, in upper case, as it is registered, but CONNECT; with a body or {}. As get() says, and:
    //
    // The body is sent until an answer from 300 on has come, which is then given; its connection is closed.
    // A 303, and a 301 or 302 that answers a POST, is followed with a GET, without the body and without the
    // fields that tell of it (Content-...); other redirects with the same method and body. A body that can be
    // sent only once makes that an error (body_not_repeatable).
    [[nodiscard]] task<fetched> send(std::string method, request_url url, request_body body = {},
                                     request_options options = {}, http::headers fields = {});
    // The same; the response is read piece by piece. Given when its head has come and the body was sent.
    [[nodiscard]] task<response_stream> open_request(std::string method, request_url url,
                                                     request_body body = {}, request_options options = {},
                                                     http::headers fields = {});

    // Asks, with a GET, to go on in `protocol`, such as "websocket" (RFC 9110 7.8). Given when the server has
    // answered 101; the connection is the caller's then and counts no more as one of this client, which it
    // may outlive. A proxy is asked for a tunnel. Another answer, redirects and challenges apart, is thrown
    // as upgrade_refused.
    [[nodiscard]] task<upgraded_stream> upgrade(std::string protocol, request_url url,
                                                request_options options = {}, http::headers fields = {});

    // In place of those of the environment.
    void use_proxies(http::proxies instead) { proxies_ = std::move(instead); }

    // From now on cookies that come go into `jar`, which outlives the client, and go with the requests that
    // they are for, unless those have a Cookie field of their own.
    void use_cookies(cookie_jar& jar) noexcept { cookies_ = &jar; }

    // From now on a request whose URL has no credentials, or a user without a password, has those of its
    // host, on every port, over http and https, and wherever a redirect leads: each host gets its own. The
    // default is only for the origin that the user's URL names, and for none that a redirect leads to.
    void use_netrc(netrc logins) { netrc_ = std::move(logins); }

    // From now on connections to this host and port, of a URL or a proxy, are made to one of these addresses,
    // as if the look-up of its name had given them; without addresses the name is looked up again. A kept
    // connection is still used. The host is given as in a URL. Throws std::system_error for one that cannot
    // be in one, std::invalid_argument for a port that is none.
    void use_addresses(std::string_view host, int port, std::vector<address> instead);

    // Connections that are kept for the next request; and closing them.
    [[nodiscard]] std::size_t idle_connections() const noexcept { return pool_.idle(); }
    void close_idle_connections() noexcept { pool_.close_idle(); }

private:
    // These leave the answer in asked.reply.
    [[nodiscard]] task<> request(detail::client_request& asked);
    [[nodiscard]] task<> follow(detail::client_request& asked);
    [[nodiscard]] task<> send_with_retries(detail::client_request& asked);
    [[nodiscard]] task<> send_once(detail::client_request& asked);
    [[nodiscard]] static task<> refuse_upgrade(const detail::client_request& asked, response_stream reply);
    [[nodiscard]] task<> exchange(detail::client_request& asked, detail::client_exchange& on);
    [[nodiscard]] task<> exchange_with_body(detail::client_request& asked, detail::client_exchange& on);
    [[nodiscard]] bool speaks_http2(const detail::client_request& asked) const noexcept;
    [[nodiscard]] bool may_share(const detail::client_request& asked) const noexcept;
    [[nodiscard]] std::string place_of(const detail::client_request& asked) const;
    [[nodiscard]] task<> connect(detail::client_request& asked, detail::connection_lease& lease);
    [[nodiscard]] task<tcp_stream> dial(detail::client_request& asked);
    [[nodiscard]] task<> connect_to_socket(detail::client_request& asked, detail::connection_lease& lease);
    template <typename Stream>
    [[nodiscard]] task<> put(detail::client_request& asked, Stream made, detail::connection_lease& lease);
    template <typename Dial>
    [[nodiscard]] auto dial_later(Dial dial_once) -> std::invoke_result_t<Dial&>;
    [[nodiscard]] detail::secure_transport& secure();
    void keep_cookies(const url& from, const response& head);
    void find_credentials(detail::client_request& asked) const;
    [[nodiscard]] std::string authorize(const detail::client_request& asked);
    [[nodiscard]] bool take_challenge(detail::client_request& asked, const response& head);

    std::string user_agent_;
    bool accept_encodings_;
    http_versions versions_;
    proxies proxies_;
    bool insecure_;
    std::optional<unix_endpoint> unix_socket_;
    std::string name_servers_;
    connect_options dialling_;                                            // with name_servers_
    std::map<std::string, std::vector<address>, std::less<>> addresses_;  // by host and port
    // Made when it is needed: it reads the system's authorities.
    std::unique_ptr<detail::secure_transport> secure_;
    cookie_jar* cookies_ = nullptr;
    netrc netrc_;
    std::map<std::string, detail::digest_session> logins_;  // by origin and credentials
    detail::connection_pool pool_;
};

}  // namespace leat::http
