// SPDX-License-Identifier: MIT
#include <leat/http/proxy.hpp>

#include <leat/http/request_error.hpp>
#include <leat/http/text.hpp>

#include <cstdlib>

namespace leat::http {
namespace {

std::string variable(const char* lower, const char* upper) {
    for (const char* name : {lower, upper}) {
        const char* value = name != nullptr ? std::getenv(name) : nullptr;
        if (value != nullptr) {
            return value;  // an empty one says: none
        }
    }
    return {};
}

// Whether `host` is `domain` or below it.
bool is_within(std::string_view host, std::string_view domain) noexcept {
    if (host.size() <= domain.size()) {
        return equal_ignoring_case(host, domain);
    }
    const std::string_view end = host.substr(host.size() - domain.size());
    return host[host.size() - domain.size() - 1] == '.' && equal_ignoring_case(end, domain);
}

}  // namespace

proxies proxies::from_environment() {
    proxies found;
    found.http_ = variable("http_proxy", std::getenv("REQUEST_METHOD") == nullptr ? "HTTP_PROXY" : nullptr);
    found.https_ = variable("https_proxy", "HTTPS_PROXY");
    found.excluded_ = variable("no_proxy", "NO_PROXY");
    return found;
}

bool proxies::excludes(const url& target) const {
    std::string_view list = trim(excluded_);
    if (list == "*") {
        return true;
    }
    const std::string with_port = target.host() + ":" + std::to_string(target.port());
    for (auto each = next_element(list); !each.empty(); each = next_element(list)) {
        each.remove_prefix(std::min(each.find_first_not_of('.'), each.size()));
        if (!each.empty() && (is_within(target.host(), each) || is_within(with_port, each))) {
            return true;
        }
    }
    return false;
}

std::optional<url> proxies::find(const url& target) const {
    std::string text = target.is_secure() ? https_ : http_;
    if (text.empty() || excludes(target)) {
        return std::nullopt;
    }
    if (text.find("://") == text.npos) {
        text.insert(0, "http://");
    }
    auto parsed = url::try_parse(text);
    if (!parsed) {
        throw request_error(parsed.error(), "the proxy for " + std::string(target.scheme()) +
                                                " cannot be used: " + parsed.error().message());
    }
    if (parsed->is_secure()) {
        throw request_error(url_error::unsupported_scheme, "a proxy is spoken to over http, not https");
    }
    return std::move(*parsed);
}

}  // namespace leat::http
