// SPDX-License-Identifier: MIT
#include <leat/http/core/file_body.hpp>

#include <leat/bytes.hpp>

#include <span>
#include <utility>

namespace leat::http::detail {
namespace {

// What is sent at once; and the memory that a long file takes while a client is slow to take it.
constexpr std::size_t piece_size = 64 * 1024;

}  // namespace

file_body::file_body(byte_range part) : size_(part.size) {
    if (part.size > 0) {
        pieces_.push_back({{}, part});
    }
}

file_body::file_body(const std::vector<byte_range>& parts, std::uint64_t size, std::string_view type,
                     std::string boundary)
    : boundary_(std::move(boundary)) {
    for (const byte_range& part : parts) {
        std::string text = pieces_.empty() ? "--" : "\r\n--";
        text.append(boundary_).append("\r\nContent-Type: ").append(type);
        text.append("\r\nContent-Range: ").append(content_range(part, size)).append("\r\n\r\n");
        pieces_.push_back({std::move(text), part});
    }
    pieces_.push_back({"\r\n--" + boundary_ + "--\r\n", {}});
    for (const piece& each : pieces_) {
        size_ += each.text.size() + each.part.size;
    }
}

task<> file_body::send(response_writer& writer, file& from) const {
    if (size_ <= piece_size) {
        co_await send_whole(writer, from);
        co_return;
    }
    writer.head().headers.set("Content-Length", std::to_string(size_));
    for (const piece& each : pieces_) {
        co_await writer.write(each.text);
        if (each.part.size > 0) {
            co_await writer.write_file(from, each.part.offset, each.part.size);
        }
    }
}

task<> file_body::send_whole(response_writer& writer, file& from) const {
    std::string body;
    body.reserve(static_cast<std::size_t>(size_));
    for (const piece& each : pieces_) {
        body += each.text;
        const std::size_t begin = body.size();
        body.resize(begin + static_cast<std::size_t>(each.part.size));
        co_await from.read_exactly_at(each.part.offset, std::span(body).subspan(begin));
    }
    writer.head().body = std::move(body);
}

}  // namespace leat::http::detail
