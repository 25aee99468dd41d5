// SPDX-License-Identifier: MIT
#include <leat/http/cookie_jar.hpp>

#include <leat/core/wall_clock.hpp>
#include <leat/http/core/set_cookie.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace leat::http {
namespace {

std::chrono::sys_seconds time_of_day() noexcept {
    return std::chrono::floor<std::chrono::seconds>(leat::detail::wall_clock());
}

bool is_over(const cookie& one, std::chrono::sys_seconds now) noexcept {
    return one.expires && *one.expires <= now;
}

// What a cookie replaces.
bool is_same(const cookie& a, const cookie& b) noexcept {
    return a.name == b.name && a.path == b.path && a.host_only == b.host_only;
}

// `host`, and the domains above it, one after the other; empty at the end.
std::string_view domain_above(std::string_view host) noexcept {
    const std::size_t dot = host.find('.');
    return dot == host.npos ? std::string_view() : host.substr(dot + 1);
}

}  // namespace

void cookie_jar::clear() noexcept {
    by_domain_.clear();
    size_ = 0;
}

bool cookie_jar::store(const url& from, std::string_view set_cookie) {
    const auto now = time_of_day();
    std::optional<cookie> made = detail::read_set_cookie(from, set_cookie, now);
    if (!made || made->name.size() + made->value.size() > limits_.bytes ||
        (!from.is_secure() && hides_secure_one(*made))) {
        return false;
    }
    const std::string domain = made->domain;
    put(std::move(*made));
    make_room(domain, now);
    return true;
}

cookie_addition cookie_jar::add(cookie given) {
    if (given.name.size() + given.value.size() > limits_.bytes || !detail::is_possible(given)) {
        return cookie_addition::refused;
    }
    const auto now = time_of_day();
    const bool over = is_over(given, now);
    const std::string domain = given.domain;
    put(std::move(given));
    make_room(domain, now);
    return over ? cookie_addition::expired : cookie_addition::taken;
}

// RFC 6265bis 5.7, 16: who is not secure does not replace or hide a cookie of who is.
bool cookie_jar::hides_secure_one(const cookie& one) const {
    for (const auto& [domain, shelf] : by_domain_) {
        if (!detail::is_below(domain, one.domain) && !detail::is_below(one.domain, domain)) {
            continue;
        }
        for (const cookie& each : shelf) {
            if (each.secure && each.name == one.name && detail::path_covers(each.path, one.path)) {
                return true;
            }
        }
    }
    return false;
}

void cookie_jar::put(cookie made) {
    shelf& there = by_domain_[made.domain];
    const auto found = std::ranges::find_if(there, [&](const cookie& each) { return is_same(each, made); });
    made.used = ++turn_;
    if (found != there.end()) {
        made.made = found->made;
        *found = std::move(made);
        return;
    }
    made.made = turn_;
    there.push_back(std::move(made));
    ++size_;
}

void cookie_jar::remove_expired(shelf& from, std::chrono::sys_seconds now) {
    size_ -= std::erase_if(from, [now](const cookie& each) { return is_over(each, now); });
}

void cookie_jar::remove_unused(shelf& from) {
    from.erase(std::ranges::min_element(from, {}, &cookie::used));
    --size_;
}

void cookie_jar::make_room(const std::string& domain, std::chrono::sys_seconds now) {
    const auto there = by_domain_.find(domain);
    remove_expired(there->second, now);
    while (there->second.size() > limits_.per_domain) {
        remove_unused(there->second);
    }
    if (there->second.empty()) {
        by_domain_.erase(there);
    }
    while (size_ > limits_.cookies) {
        const auto oldest = [](const auto& each) {
            return std::ranges::min(each.second, {}, &cookie::used).used;
        };
        const auto found = std::ranges::min_element(by_domain_, {}, oldest);
        remove_unused(found->second);
        if (found->second.empty()) {
            by_domain_.erase(found);
        }
    }
}

std::string cookie_jar::cookies_for(const url& to) {
    const auto now = time_of_day();
    std::vector<cookie*> found;
    for (std::string_view domain = to.host(); !domain.empty(); domain = domain_above(domain)) {
        const auto at = by_domain_.find(domain);
        if (at == by_domain_.end() || !detail::is_below(to.host(), domain)) {
            continue;
        }
        for (cookie& each : at->second) {
            if ((!each.host_only || domain == to.host()) && (!each.secure || to.is_secure()) &&
                !is_over(each, now) && detail::path_covers(each.path, to.path())) {
                found.push_back(&each);
            }
        }
    }
    std::ranges::sort(found, [](const cookie* a, const cookie* b) {
        return a->path.size() != b->path.size() ? a->path.size() > b->path.size() : a->made < b->made;
    });
    std::string text;
    ++turn_;
    for (cookie* each : found) {
        each->used = turn_;
        text.append(text.empty() ? "" : "; ").append(each->name).append("=").append(each->value);
    }
    return text;
}

std::vector<cookie> cookie_jar::all() const {
    const auto now = time_of_day();
    std::vector<cookie> found;
    for (const auto& [domain, shelf] : by_domain_) {
        std::ranges::copy_if(shelf, std::back_inserter(found),
                             [now](const cookie& each) { return !is_over(each, now); });
    }
    return found;
}

}  // namespace leat::http
