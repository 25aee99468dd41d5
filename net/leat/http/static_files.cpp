// SPDX-License-Identifier: MIT
#include <leat/http/static_files.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/http/answers.hpp>
#include <leat/http/conditional.hpp>
#include <leat/http/core/accept_encoding.hpp>
#include <leat/http/core/file_body.hpp>
#include <leat/http/core/random_text.hpp>
#include <leat/http/core/static_path.hpp>
#include <leat/http/range.hpp>
#include <leat/http/target.hpp>
#include <leat/io.hpp>
#include <leat/result.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace leat::http {
namespace {

constexpr detail::three_codings stored_codings{"br", "zstd", "gzip"};  // the best first

// Of a compressed form beside a file.
std::string_view extension_of(std::string_view coding) noexcept {
    return coding == "br" ? ".br" : coding == "zstd" ? ".zst" : ".gz";
}

// When it was changed last; nothing for a time that a packager has set, such as the first of all times: files
// of each version have it.
std::optional<std::chrono::system_clock::time_point> time_of(const file_info& about) {
    constexpr std::chrono::sys_days first(std::chrono::year(1981) / 1 / 1);
    return about.modified >= first ? std::optional(about.modified) : std::nullopt;
}

// As an answer says it: none is later than the answer (RFC 9110 8.8.2.1).
std::optional<std::chrono::system_clock::time_point> told_time_of(const file_info& about) {
    const auto time = time_of(about);
    return time ? std::optional(std::min(*time, current_scheduler().io().wall_now())) : std::nullopt;
}

// The same on each machine that has the file with its time: of that, its size and its coding, whose forms may
// have both in common. Where the time says nothing the number of the file takes its place.
std::string tag_of(const file_info& about, std::string_view coding) {
    std::array<char, 40> text{};
    char* const end = text.data() + text.size();
    text[0] = '"';
    const auto time = time_of(about);
    const std::uint64_t state =
        time ? static_cast<std::uint64_t>(time->time_since_epoch().count()) : about.number;
    char* at = std::to_chars(text.data() + 1, end, state, 16).ptr;
    *at++ = '-';
    at = std::to_chars(at, end, about.size, 16).ptr;
    std::string tag(text.data(), at);
    tag.append(coding.empty() ? "" : "-").append(coding).append("\"");
    return tag;
}

// What part of the file is the body, or several; nothing when it has none of what was asked for.
std::optional<detail::file_body> body_for(const request& asked, const validators& current, std::uint64_t size,
                                          response& head) {
    if (!wants_range(asked, current)) {
        return detail::file_body(byte_range{0, size});
    }
    const asked_ranges ranges = read_range(*asked.headers.get("Range"), size);
    switch (ranges.answer) {
        case range_answer::whole:
            return detail::file_body(byte_range{0, size});
        case range_answer::refused:
            head = status_answer(416);
            head.headers.add("Content-Range", unsatisfied_range(size));
            return std::nullopt;
        case range_answer::parts:
            break;
    }
    head.status = 206;
    if (ranges.parts.size() == 1) {
        head.headers.add("Content-Range", content_range(ranges.parts[0], size));
        return detail::file_body(ranges.parts[0]);
    }
    detail::file_body body(ranges.parts, size, *head.headers.get("Content-Type"), detail::random_text());
    head.headers.set("Content-Type", body.type());
    return body;
}

}  // namespace

task<static_files> static_files::open(std::string folder, static_options options) {
    auto root = co_await root_folder::open(std::move(folder));
    co_return static_files(std::move(root), options);
}

task<> static_files::operator()(const request& asked, response_writer& writer) const {
    return answer(asked, writer, std::string(split_target(asked.target).path));
}

task<> static_files::answer(const request& asked, response_writer& writer, std::string path) const {
    response& head = writer.head();
    if (asked.method != "GET" && asked.method != "HEAD") {
        head = status_answer(405);
        head.headers.add("Allow", "GET, HEAD");
        co_return;
    }
    auto name = detail::static_path(path, dot_files_);
    const bool is_folder = name && (name->empty() || name->ends_with('/'));
    if (!name || (is_folder && index_.empty())) {
        head = status_answer(404);
        co_return;
    }
    co_await give(asked, writer, is_folder ? *name + index_ : std::move(*name));
}

task<std::string_view> static_files::choose(const request& asked, const std::string& name,
                                            found_file& found) const {
    for (const std::string_view coding : detail::wanted_codings(asked.headers, stored_codings)) {
        if (coding.empty()) {
            break;
        }
        auto compressed = co_await as_result(root_.find_file(name + std::string(extension_of(coding))));
        if (compressed.ok() && compressed->info.kind == file_kind::regular) {
            found = std::move(*compressed);
            co_return coding;
        }
    }
    co_return std::string_view();
}

task<> static_files::give(const request& asked, response_writer& writer, std::string name) const {
    response& head = writer.head();
    auto found = co_await as_result(root_.find_file(name));
    const bool lacks_slash = !split_target(asked.target).path.ends_with('/');
    if (found.error() == std::errc::is_a_directory && !index_.empty() && lacks_slash) {
        head = redirect_to(detail::folder_location(asked.target), 301);
        co_return;
    }
    const int refused = found.ok() ? 0 : detail::status_of_open(found.error());
    if (refused != 0 || found.value().info.kind != file_kind::regular) {
        head = status_answer(refused != 0 ? refused : 404);
        co_return;
    }
    std::string_view coding;
    if (precompressed_) {
        coding = co_await choose(asked, name, *found);
        head.headers.add("Vary", "Accept-Encoding");
    }
    const std::string tag = tag_of(found->info, coding);
    head.headers.add("ETag", tag);
    const auto modified = told_time_of(found->info);
    if (modified) {
        head.headers.add("Last-Modified", http_date(*modified));
    }
    if (!cache_control_.empty()) {
        head.headers.add("Cache-Control", cache_control_);
    }
    const validators current{.tag = tag, .modified = modified};
    const condition met = evaluate(asked, current);
    if (met != condition::holds) {
        if (met == condition::failed) {
            head = status_answer(412);
        } else {
            head.status = 304;
        }
        co_return;
    }
    head.headers.add("Accept-Ranges", "bytes");
    head.headers.add("Content-Type", media_type_(name));
    if (!coding.empty()) {
        head.headers.add("Content-Encoding", coding);
    }
    const auto body = body_for(asked, current, found->info.size, head);
    if (!body) {
        co_return;
    }
    if (asked.method == "HEAD") {
        head.headers.add("Content-Length", std::to_string(body->size()));
        co_return;
    }
    co_await body->send(writer, found->opened);
}

}  // namespace leat::http
