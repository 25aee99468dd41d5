// SPDX-License-Identifier: MIT
// response_stream: the answer to a request of the HTTP client, whose body is read as it arrives. It holds the
// connection until the body has ended.
#pragma once

#include <leat/clock.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/core/content_decoder.hpp>
#include <leat/http/core/pool.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/message.hpp>
#include <leat/http/request_error.hpp>
#include <leat/http/request_options.hpp>
#include <leat/http/request_timings.hpp>
#include <leat/http/tls_info.hpp>
#include <leat/http/url.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leat::http {

namespace detail {
class client_request;
}

// A response whose body is still to be read. Its end closes the connection unless the body was read to its
// end; of HTTP/2 it only cancels the request. It must not outlive the client.
class response_stream {
public:
    response_stream(response_stream&&) noexcept = default;
    response_stream& operator=(response_stream&&) noexcept = default;
    ~response_stream() = default;

    [[nodiscard]] const response& head() const noexcept { return head_; }
    [[nodiscard]] response& head() noexcept { return head_; }
    [[nodiscard]] int status() const noexcept { return head_.status; }
    [[nodiscard]] const http::headers& headers() const noexcept { return head_.headers; }
    // Where it came from, after redirects.
    [[nodiscard]] const http::url& url() const noexcept { return url_; }
    // How often requests were sent for it, but for redirects: 1, and one more for each that was sent again
    // (request_options: repeat, retry, login, await_continue).
    [[nodiscard]] int attempts() const noexcept { return attempts_; }
    // When the steps were done up to the head.
    [[nodiscard]] const request_timings& timings() const noexcept { return timings_; }
    // Who has sent it: the server, or the proxy before it; nothing over a socket of the Unix domain.
    [[nodiscard]] const std::optional<endpoint>& peer() const noexcept { return peer_; }
    // What TLS has agreed on; null without TLS, and where request_options::tell_tls was not set.
    [[nodiscard]] const tls_info* tls() const noexcept { return tls_.get(); }
    // The Content-Encoding that is still on the body: the client does not know it, or was told not to decode.
    // Empty: none.
    [[nodiscard]] const std::string& undecoded() const noexcept { return undecoded_; }
    // How many bytes of body will come, if it is known: the server said so and they are not compressed.
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept;

    // The next piece of the body, decoded; empty at its end. Good until the next call. Throws like get().
    [[nodiscard]] task<std::string_view> read();
    // Fields that came behind the body (RFC 9110 6.5), once read() has given its end: over HTTP/2, and over
    // HTTP/1.1 behind a body in chunks. Those that may not come there are left out. Their limits are those of
    // a head.
    [[nodiscard]] const http::headers& trailers() const noexcept { return head_.trailers; }
    // All that is still to come. Throws when it is more than `limit` bytes.
    [[nodiscard]] task<std::string> read_all(std::uint64_t limit = std::uint64_t(64) << 20);
    // The bytes that read() gave so far.
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return decoder_.decoded_bytes(); }

private:
    friend class client;
    response_stream(detail::connection_lease lease, http::url from, const detail::client_request& asked);
    void begin_decoding(std::string redirected, bool decode);
    [[nodiscard]] std::string named() const { return redirected_.empty() ? url_.to_string() : redirected_; }
    [[nodiscard]] task<std::string_view> read_piece();
    [[nodiscard]] task<> receive_piece();
    void end() noexcept;
    [[nodiscard]] bool is_below_rate() const noexcept;
    [[nodiscard]] bool is_too_slow() const noexcept;
    void check_rate();
    [[noreturn]] void fail_too_long() const;
    // Ends a response whose body is not needed: reads the rest if it is short and comes soon, so that the
    // connection can be used again, and closes the connection otherwise. Never fails.
    [[nodiscard]] task<> discard();
    [[nodiscard]] task<> discard_rest();

    detail::connection_lease lease_;
    response head_;
    http::url url_;
    std::string redirected_;  // how errors name it, where it was redirected
    std::string undecoded_;
    detail::content_decoder decoder_;
    std::string_view encoded_;
    std::optional<std::uint64_t> length_;  // as the server said
    std::optional<std::uint64_t> limit_;
    std::uint64_t encoded_max_ = detail::content_decoder::no_limit;
    duration idle_;
    duration total_;
    time_point deadline_;
    std::uint64_t lowest_rate_;
    duration rate_time_;
    duration waited_ = duration::zero();  // for rate_bytes_
    std::uint64_t rate_bytes_ = 0;
    request_timings timings_;
    std::optional<endpoint> peer_;
    std::unique_ptr<tls_info> tls_;
    int attempts_;
    bool ended_ = false;
};

}  // namespace leat::http
