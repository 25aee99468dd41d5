// SPDX-License-Identifier: MIT
// static_files: a handler of the HTTP server that gives the files of a folder, and nothing else.
//
//   const auto site = co_await leat::http::static_files::open("public");
//   co_await leat::http::serve(leat::tcp_listener::bind({"0.0.0.0", 8080}), site);
//
// GET and HEAD are answered: with a media type by extension (media_type.hpp), ETag and Last-Modified, ranges,
// also several at once, and the conditions of RFC 9110 13. A folder is answered by its index; its path
// without the last slash is redirected. No file is read by the loop itself, and one of any size takes 64 KiB.
//
// What a path cannot reach, whatever its encoding: what is not below the folder (root_folder.hpp: also not by
// a symbolic link), what is no regular file, and names that begin with a dot. Each is "404 Not Found", as are
// paths with "..", ".", an empty name, a backslash, or an encoded slash or zero. A file without permission to
// be read is a 403.
//
// Invariant: as many bytes are sent as were announced. When a file turns out to be shorter the connection is
// cut, or, if nothing was sent, the answer is a 500, and the server reports it.
#pragma once

#include <leat/http/media_type.hpp>
#include <leat/http/message.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/system/root_folder.hpp>
#include <leat/task.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace leat::http {

// The texts are copied by open().
struct static_options {
    // The file that answers for a folder; empty: a folder is a 404. None is ever listed.
    std::string_view index = "index.html";
    // The value of Cache-Control; empty: no such field. Browsers then guess how long a file stays as it is.
    std::string_view cache_control = "";
    // A file beside the one that is asked for, with ".br", ".zst" or ".gz" behind its name, is sent in its
    // place to clients that take that coding. Costs up to three further opens a request.
    bool precompressed = false;
    // Names that begin with a dot, such as .git, are given, too. ".well-known" (RFC 8615) always is.
    bool dot_files = false;
    // The media type of a file, by its name.
    std::string_view (*media_type)(std::string_view name) = media_type_of;
};

// A handler for serve(), or for a part of another one. Copies are of one run, and give the same folder.
class static_files {
public:
    // The folder stays the one that is there now: a new one of the same name is not seen, other files in it
    // are. Throws when there is none.
    [[nodiscard]] static task<static_files> open(std::string folder, static_options options = {});

    // Answers with the file that the path of the target names. It, the request and the writer live until
    // then. Throws what reading throws (EIO, EMFILE and the like).
    [[nodiscard]] task<> operator()(const request& asked, response_writer& writer) const;
    // The same for a path that is only a part of the target, such as the rest behind "/files/". It is still
    // encoded.
    [[nodiscard]] task<> answer(const request& asked, response_writer& writer, std::string path) const;

private:
    static_files(root_folder root, const static_options& options)
        : root_(std::move(root)),
          index_(options.index),
          cache_control_(options.cache_control),
          precompressed_(options.precompressed),
          dot_files_(options.dot_files),
          media_type_(options.media_type) {}

    [[nodiscard]] task<> give(const request& asked, response_writer& writer, std::string name) const;
    // The file or its compressed form, whose coding is told.
    [[nodiscard]] task<std::string_view> choose(const request& asked, const std::string& name,
                                                found_file& found) const;

    root_folder root_;
    std::string index_;
    std::string cache_control_;
    bool precompressed_;
    bool dot_files_;
    std::string_view (*media_type_)(std::string_view name);
};

}  // namespace leat::http
