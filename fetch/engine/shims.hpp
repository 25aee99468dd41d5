#pragma once
#include <charconv>
#include <leat/clock.hpp>
#include <leat/http/message.hpp>
#include <leat/http/range.hpp>
namespace leat::http {
struct content_range_value {
    std::optional<byte_range> part;
    std::optional<std::uint64_t> size;
};
inline std::optional<content_range_value> read_content_range(std::string_view f) {
    if (!f.starts_with("bytes "))
        return std::nullopt;
    f.remove_prefix(6);
    content_range_value v;
    auto slash = f.find('/');
    if (slash == f.npos)
        return std::nullopt;
    auto num = [](std::string_view t) -> std::optional<std::uint64_t> {
        std::uint64_t n = 0;
        auto r = std::from_chars(t.data(), t.data() + t.size(), n);
        if (r.ec != std::errc() || r.ptr != t.data() + t.size())
            return std::nullopt;
        return n;
    };
    if (f.substr(slash + 1) != "*") {
        v.size = num(f.substr(slash + 1));
        if (!v.size)
            return std::nullopt;
    }
    auto r = f.substr(0, slash);
    if (r != "*") {
        auto d = r.find('-');
        if (d == r.npos)
            return std::nullopt;
        auto a = num(r.substr(0, d)), b = num(r.substr(d + 1));
        if (!a || !b || *b < *a)
            return std::nullopt;
        v.part = byte_range{*a, *b - *a + 1};
    }
    return v;
}
inline std::optional<duration> retry_after(const response& r) {
    auto f = r.headers.get("Retry-After");
    if (!f)
        return std::nullopt;
    std::uint64_t n = 0;
    auto x = std::from_chars(f->data(), f->data() + f->size(), n);
    if (x.ec != std::errc())
        return std::nullopt;
    return std::chrono::seconds(n);
}
}  // namespace leat::http
