// SPDX-License-Identifier: MIT
// url: an absolute http or https URL, taken apart as browsers do (url.spec.whatwg.org), and what a Location
// header makes of it. Tabs and line breaks in it vanish, backslashes are slashes, any number of slashes
// (none, too) stands before the host; the host may be written in Unicode (if leat was built with libidn2),
// percent-encoded, or as an IPv4 address in any notation, and host() gives its canonical form; %2e is a dot.
// Characters that a part may not have are percent-encoded. Refused, unlike in browsers:
//   * port 0, to which nothing can connect;
//   * a name with another character than a letter, a digit, '-', '.', '_' and '~': no resolver knows it, and
//     quotes and commas mean something in header fields;
//   * a name longer than DNS has, and a URL longer than size_max;
//   * a name with symbols (IDNA 2008 has none), unless in its xn-- form.
// And unlike in browsers a link-local IPv6 address may have a zone (RFC 6874).
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
    // illegible) and what is wrong with it. Spaces around `text` are ignored.
    [[nodiscard]] static url parse(std::string_view text);
    [[nodiscard]] static result<url> try_parse(std::string_view text);

    // What `reference`, as found in a Location header of this URL's answer, refers to: RFC 3986 5.2, and
    // "http:path" is a relative reference too. Throws and fails as parse does.
    [[nodiscard]] url resolve(std::string_view reference) const;
    [[nodiscard]] result<url> try_resolve(std::string_view reference) const;

    [[nodiscard]] bool is_secure() const noexcept { return secure_; }
    [[nodiscard]] std::string_view scheme() const noexcept { return secure_ ? "https" : "http"; }
    // In lower case and ASCII; an IPv6 address without its brackets, with its "%zone" if it has one: what to
    // connect to.
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

    // "user:password" with its percent-encoding undone (RFC 7617: always with the colon); empty when the URL
    // has neither. It may hold any byte.
    [[nodiscard]] std::string credentials() const;
    [[nodiscard]] bool has_credentials() const noexcept { return !username_.empty() || !password_.empty(); }
    // Its parts, encoded.
    [[nodiscard]] const std::string& username() const noexcept { return username_; }
    [[nodiscard]] const std::string& password() const noexcept { return password_; }

    // "#top", encoded, or nothing; never sent.
    [[nodiscard]] const std::string& fragment() const noexcept { return fragment_; }

    // The whole URL without credentials and fragment, so that it may be shown and logged.
    [[nodiscard]] std::string to_string() const;
    // The whole URL.
    [[nodiscard]] std::string href() const;

    friend bool operator==(const url&, const url&) noexcept = default;

private:
    url() = default;
    static result<url> parse_with(std::string_view text, const url* base);
    std::error_code take_absolute(std::string_view text);
    std::error_code take_authority(std::string_view authority);
    void take_relative(std::string_view text, const url& base);
    void take_target(std::string_view text, std::string_view folder);
    [[nodiscard]] std::string shown_host() const;

    std::string username_;
    std::string password_;
    std::string host_;
    std::string target_;
    std::string fragment_;
    std::uint16_t port_ = 0;
    bool secure_ = false;
};

// `text`, which need not be a URL, for people, terminals and logs: its credentials made illegible, control
// characters shown as ?, what is not ASCII percent-encoded: some of that controls terminals, too, and some
// changes the order in which text is shown. Of what is no URL, all up to the last @ may be credentials.
[[nodiscard]] std::string printable_url(std::string_view text);
// The same, cut off where it is longer than 500 bytes: for text from elsewhere, such as a Location.
[[nodiscard]] std::string short_url(std::string_view text);

}  // namespace leat::http
