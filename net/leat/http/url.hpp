// SPDX-License-Identifier: MIT
// url: an absolute http or https URL, taken apart (RFC 3986), and what a Location header makes of it.
// Characters that may not stand in a path or query are percent-encoded, as browsers and curl do; what
// could be read in two ways (control characters, a backslash in the host, 127.1) is refused.
// Invariant: host, port and target are valid, so they can be written into a request unchecked.
#pragma once

#include <leat/http/error.hpp>
#include <leat/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::http {

class url {
public:
    static constexpr std::size_t size_max = 65536;

    // Throws std::system_error with a url_error; its what() is one line: the URL (a password in it made
    // illegible) and what is wrong with it. Spaces around `text` are ignored, a fragment is dropped.
    [[nodiscard]] static url parse(std::string_view text);
    [[nodiscard]] static result<url> try_parse(std::string_view text);

    // What `reference`, as found in a Location header of this URL's answer, refers to (RFC 3986 5.2, strict:
    // "http:path" is no relative reference). Throws and fails as parse does.
    [[nodiscard]] url resolve(std::string_view reference) const;
    [[nodiscard]] result<url> try_resolve(std::string_view reference) const;

    [[nodiscard]] bool is_secure() const noexcept { return secure_; }
    [[nodiscard]] std::string_view scheme() const noexcept { return secure_ ? "https" : "http"; }
    // In lower case; an IPv6 address without its brackets, with its "%zone" if it has one: what to connect
    // to.
    [[nodiscard]] const std::string& host() const noexcept { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    // "/a/b", never empty, and "q=1" without its question mark.
    [[nodiscard]] std::string_view path() const noexcept;
    [[nodiscard]] std::string_view query() const noexcept;

    // Path and query: the request target of a request sent straight to the server.
    [[nodiscard]] const std::string& request_target() const noexcept { return target_; }
    // "example.org", "example.org:8080" or "[::1]:8080": the value of the Host header.
    [[nodiscard]] std::string authority() const;
    // "http://example.org:80": the same for all URLs that one connection can serve.
    [[nodiscard]] std::string origin() const;

    // "user:password" with its percent-encoding undone; empty when the URL has none. It may hold any byte.
    [[nodiscard]] std::string credentials() const;
    [[nodiscard]] bool has_credentials() const noexcept { return !userinfo_.empty(); }

    // The whole URL without the credentials, so that it may be shown and logged.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const url&, const url&) noexcept = default;

private:
    url() = default;
    std::error_code take_authority(std::string_view authority);
    std::error_code take_host(std::string_view host);
    void take_target(std::string_view path, std::string_view query, bool has_query);

    std::string userinfo_;  // as written
    std::string host_;
    std::string target_;
    std::uint16_t port_ = 0;
    bool secure_ = false;
};

// `text`, which need not be a URL, for people and logs: its credentials made illegible, control characters
// shown as ?.
[[nodiscard]] std::string printable_url(std::string_view text);

}  // namespace leat::http
