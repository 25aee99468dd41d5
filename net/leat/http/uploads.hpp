// SPDX-License-Identifier: MIT
// with_uploads: takes a multipart/form-data body (multipart.hpp) while it is read, its files into a folder,
// and lets a function use them, for handlers that read the body themselves:
//
//   leat::task<response> take_photos(const request& asked, request_body_reader& body) {
//       const auto boundary = multipart_boundary(asked);
//       ...
//       body.set_limit(std::uint64_t(1) << 30);
//       co_return co_await with_uploads(body, *boundary, "incoming", [](uploaded_form& form) { ... });
//   }
//
// A file has at most 64 KiB in memory on its way, and what a client sends faster than the disk takes is not
// received. No name that the client gives is that of a file.
//
// Invariant: what the function has not moved elsewhere is removed when it has ended, and so is everything
// when the body is malformed, too long or cut off, when the disk is full, and when the request is cancelled.
// Only a death of the process leaves files: they are called "upload-" and 32 digits.
#pragma once

#include <leat/finally.hpp>
#include <leat/http/multipart.hpp>
#include <leat/http/request_body_reader.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat::http {

// A part with a file name, which is to be shown only.
struct uploaded_file : form_part {
    // In the folder, by a name that cannot be guessed, for nobody but this user to read (0600). To keep the
    // file, give it another name: rename_file(), rename_to_new(). What was written is on the disk after a
    // file::sync() of it only.
    std::string path;
    std::uint64_t size = 0;
};

struct uploaded_form {
    std::vector<whole_part> fields;  // the parts without a file name
    // A part without a name and without a byte is left out: a browser sends that where no file was chosen.
    std::vector<uploaded_file> files;

    // The data of the first field of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
};

namespace detail {

class upload_saver {
public:
    upload_saver(request_body_reader& body, std::string_view boundary, std::string folder,
                 const multipart_limits& limits);
    upload_saver(const upload_saver&) = delete;
    upload_saver& operator=(const upload_saver&) = delete;
    // Removes what remove_rest() had no memory for.
    ~upload_saver();

    // Reads all of the body.
    [[nodiscard]] task<> save();
    // Removes what is still there; what cannot be removed is reported. Throws std::bad_alloc.
    [[nodiscard]] task<> remove_rest();
    [[nodiscard]] uploaded_form& form() noexcept { return form_; }

private:
    [[nodiscard]] task<bool> take(std::string_view& input);
    void begin_part();
    [[nodiscard]] task<> end_part();
    [[nodiscard]] task<> store(std::string_view data);
    [[nodiscard]] task<> write_out();
    [[nodiscard]] task<> create();

    request_body_reader& body_;
    multipart_parser parser_;
    std::string folder_;
    uploaded_form form_;
    std::vector<std::string> made_;  // paths
    file open_;
    std::string unwritten_;  // of the file
    bool in_file_ = false;
};

}  // namespace detail

// Gives what `use(uploaded_form&)`, a coroutine, gives. `folder` is there, and is the server's own. The body
// lives until then.
//
// A body that is no good (error::bad_form, form_too_large, and what request_body_reader throws) is a
// std::system_error, and `use` is not called; a handler that lets that pass answers with 400 or 413,
// unreported. So are ENOSPC and the like, which are a 500 then. Cancelled: the files are removed before this
// ends.
template <typename Use>
[[nodiscard]] auto with_uploads(request_body_reader& body, std::string boundary, std::string folder, Use use,
                                multipart_limits limits = {}) -> std::invoke_result_t<Use&, uploaded_form&> {
    detail::upload_saver saver(body, boundary, std::move(folder), limits);
    const auto save_and_use = [&]() -> std::invoke_result_t<Use&, uploaded_form&> {
        co_await saver.save();
        co_return co_await use(saver.form());
    };
    co_return co_await finally(save_and_use, [&] { return saver.remove_rest(); });
}

}  // namespace leat::http
