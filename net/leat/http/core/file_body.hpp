// SPDX-License-Identifier: MIT
// file_body: the body of an answer that is a file, a part of it, or several (multipart/byteranges, RFC 9110
// 14.6): text and parts of one file in turn. static_files uses it.
// Invariant: as many bytes are sent as size() says, or the sending throws.
#pragma once

#include <leat/http/range.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http::detail {

class file_body {
public:
    // One part of it; none when that is empty.
    explicit file_body(byte_range part);
    // Several, of a file of `size` bytes and of this type. `boundary` is one that nobody can have put into
    // the file.
    file_body(const std::vector<byte_range>& parts, std::uint64_t size, std::string_view type,
              std::string boundary);

    // The Content-Type of several parts.
    [[nodiscard]] std::string type() const { return "multipart/byteranges; boundary=" + boundary_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    // Sends it as the body of `writer`, whose head is complete: at once when it is short, else in pieces. The
    // file and the writer live until then. Throws what reading and sending throw, and
    // stream_errc::end_of_stream when the file is shorter.
    [[nodiscard]] task<> send(response_writer& writer, file& from) const;

private:
    struct piece {
        std::string text;  // before the part
        byte_range part;
    };

    [[nodiscard]] task<> send_whole(response_writer& writer, file& from) const;

    std::string boundary_;
    std::vector<piece> pieces_;
    std::uint64_t size_ = 0;
};

}  // namespace leat::http::detail
