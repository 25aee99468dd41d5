// SPDX-License-Identifier: MIT
// cookie_jar: the cookies that an HTTP client has been given, and sends back to whom they are for (RFC 6265,
// with what browsers do since: RFC 6265bis). A client has none unless it is told to use one:
//
//     leat::http::cookie_jar jar;
//     leat::http::client client;
//     client.use_cookies(jar);
//
// Several clients of one thread may share a jar. A site cannot set cookies for a domain above its own that is
// a public suffix ("co.uk"): by libpsl, if leat was built with it, else only domains without a dot are known
// to be such.
// Invariant: every cookie's name and value can stand in a header field as they are, and no limit is exceeded.
#pragma once

#include <leat/http/url.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

struct cookie {
    std::string name;
    std::string value;
    std::string domain;  // in lower case, without a dot before it
    std::string path;
    std::optional<std::chrono::sys_seconds> expires;  // without: with the jar
    bool host_only = true;                            // not sent to hosts below `domain`
    bool secure = false;                              // sent over https only
    bool http_only = false;                           // of no meaning here, but kept
    std::uint64_t made = 0;  // the order in which they came first, and were sent last
    std::uint64_t used = 0;
};

struct cookie_limits {
    std::size_t cookies = 3000;    // in all; the one that was not sent for longest goes
    std::size_t per_domain = 180;  // the same
    std::size_t bytes = 4096;      // of name and value; longer ones are not taken
};

// What has become of a cookie that was given as such.
enum class cookie_addition : std::uint8_t {
    taken,
    expired,  // one of its name, domain and path, if there was one, is removed
    refused,  // there can be no such cookie, or it is longer than the limit
};

class cookie_jar {
public:
    explicit cookie_jar(const cookie_limits& limits = {}) noexcept : limits_(limits) {}

    // Takes the value of a Set-Cookie field of an answer from `from`. False: it is no cookie, or one that
    // `from` may not set. One that has expired removes that of its name, domain and path.
    bool store(const url& from, std::string_view set_cookie);
    // Takes a cookie from elsewhere, such as a file, with its members but `made` and `used`. Refused is one
    // with an empty name, or with characters in its name, value, domain or path that those cannot have; for
    // all hosts below an address or a public suffix; and one that breaks the promise of its name (__Host-,
    // __Secure-).
    cookie_addition add(cookie given);
    // The value of a Cookie field for a request to `to`, those with longer paths first; empty: none.
    [[nodiscard]] std::string cookies_for(const url& to);

    // All that have not expired, in no order: to be shown.
    [[nodiscard]] std::vector<cookie> all() const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void clear() noexcept;

private:
    using shelf = std::vector<cookie>;  // of one domain

    [[nodiscard]] bool hides_secure_one(const cookie& one) const;
    void put(cookie made);
    void remove_expired(shelf& from, std::chrono::sys_seconds now);
    void remove_unused(shelf& from);
    void make_room(const std::string& domain, std::chrono::sys_seconds now);

    cookie_limits limits_;
    std::map<std::string, shelf, std::less<>> by_domain_;
    std::size_t size_ = 0;
    std::uint64_t turn_ = 0;
};

}  // namespace leat::http
