// SPDX-License-Identifier: MIT
#include <leat/http/router.hpp>

#include <leat/check.hpp>
#include <leat/http/answers.hpp>
#include <leat/http/target.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>

namespace leat::http {
namespace {

// "/a/b/" -> "a", "b", "".
std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

std::optional<std::vector<std::string>> decoded_of(const std::vector<std::string_view>& segments) {
    std::vector<std::string> decoded;
    for (const std::string_view each : segments) {
        auto text = percent_decode(each);
        if (!text) {
            return std::nullopt;
        }
        decoded.push_back(std::move(*text));
    }
    return decoded;
}

}  // namespace

const std::string& path_parameters::operator[](std::string_view name) const {
    const auto found = std::ranges::find(all_, name, [](const auto& each) { return each.first; });
    check(found != all_.end(), "a parameter is asked for that the pattern of the route lacks");
    return found->second;
}

task<> detail::write_given(task<response> giving, response_writer& writer) {
    writer.head() = co_await std::move(giving);
}

std::vector<router::part> router::parts_of(std::string_view pattern) {
    check(pattern.starts_with('/'), "the pattern of a route begins with a slash");
    std::vector<part> parts;
    std::set<std::string_view> names;
    for (std::string_view each : segments_of(pattern)) {
        check(parts.empty() || parts.back().kind != part_kind::rest, "a rest is the end of a pattern");
        if (!each.starts_with('{') || !each.ends_with('}')) {
            check(each.find_first_of("{}") == each.npos, "a parameter is a whole segment: /{name}/");
            parts.push_back({part_kind::fixed, std::string(each)});
            continue;
        }
        std::string_view name = each.substr(1, each.size() - 2);
        const bool is_rest = name.ends_with("...");
        name.remove_suffix(is_rest ? 3 : 0);
        check(!name.empty() && names.insert(name).second, "each parameter of a pattern has its own name");
        parts.push_back({is_rest ? part_kind::rest : part_kind::parameter, std::string(name)});
    }
    return parts;
}

void router::insert(std::string_view method, std::string_view pattern, detail::route_function handler) {
    route made{std::string(method), parts_of(pattern), std::move(handler)};
    const auto same_part = [](const part& one, const part& other) {
        return one.kind == other.kind && (one.kind != part_kind::fixed || one.text == other.text);
    };
    for (const route& each : routes_) {
        check(each.method != method || !std::ranges::equal(each.parts, made.parts, same_part),
              "a method and a pattern have one handler");
    }
    const auto preferred = [](const route& one, const route& other) {
        return std::ranges::lexicographical_compare(one.parts, other.parts, {}, &part::kind, &part::kind);
    };
    routes_.insert(std::ranges::upper_bound(routes_, made, preferred), std::move(made));
}

bool router::fits(const route& candidate, const std::vector<std::string_view>& encoded,
                  const std::vector<std::string>& decoded) {
    for (std::size_t i = 0; i < candidate.parts.size(); ++i) {
        if (i == encoded.size()) {
            return false;
        }
        const part& each = candidate.parts[i];
        switch (each.kind) {
            case part_kind::fixed:
                if (decoded[i] != each.text) {
                    return false;
                }
                break;
            case part_kind::parameter:
                if (decoded[i].empty()) {
                    return false;
                }
                break;
            case part_kind::rest:
                return true;
        }
    }
    return candidate.parts.size() == encoded.size();
}

response router::refusal(std::string_view method, const std::vector<const route*>& fitting) const {
    std::set<std::string_view> methods{"OPTIONS"};
    for (const route* each : fitting) {
        methods.insert(each->method);
    }
    if (methods.contains("GET")) {
        methods.insert("HEAD");
    }
    std::string allow;
    for (const std::string_view each : methods) {
        allow.append(allow.empty() ? "" : ", ").append(each);
    }
    response made = status_answer(method == "OPTIONS" ? 204 : 405);
    made.headers.add("Allow", allow);
    return made;
}

task<> router::operator()(const request& asked, response_writer& writer) const {
    const std::string_view path = split_target(asked.target).path;
    const auto encoded = segments_of(path);
    const auto decoded = decoded_of(encoded);
    if (!decoded) {
        writer.head() = status_answer(400);
        co_return;
    }
    const bool everything = asked.target == "*";  // of OPTIONS
    std::vector<const route*> fitting;
    for (const route& each : routes_) {
        if (everything || fits(each, encoded, *decoded)) {
            fitting.push_back(&each);
        }
    }
    const auto of_method = [&](std::string_view method) {
        return std::ranges::find(fitting, method, [](const route* each) { return each->method; });
    };
    auto chosen = everything ? fitting.end() : of_method(asked.method);
    if (chosen == fitting.end() && asked.method == "HEAD") {
        chosen = of_method("GET");
    }
    if (chosen == fitting.end()) {
        writer.head() = fitting.empty() ? status_answer(404) : refusal(asked.method, fitting);
        co_return;
    }
    path_parameters found;
    const std::vector<part>& parts = (*chosen)->parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].kind == part_kind::parameter) {
            found.add(parts[i].text, (*decoded)[i]);
        } else if (parts[i].kind == part_kind::rest) {
            found.add(parts[i].text,
                      std::string(path.substr(static_cast<std::size_t>(encoded[i].data() - path.data()))));
        }
    }
    co_await (*chosen)->handler(asked, found, writer);
}

}  // namespace leat::http
