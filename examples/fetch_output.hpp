// SPDX-License-Identifier: MIT
// Where fetch puts what it receives: a file named after the URL, which never leaves its folder and never
// replaces another file. A download that fails leaves no file.
#pragma once

#include <leat/http.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace fetch {

inline int hexadecimal(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const int lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The last segment of the URL's path as a plain file name: without slashes or control characters, not
// hidden, not empty, of a length that every file system takes.
inline std::string file_name(const leat::http::url& url) {
    std::string_view segment = url.path();
    segment.remove_prefix(std::min(segment.size(), segment.rfind('/') + 1));
    std::string name;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        char next = segment[i];
        if (next == '%' && i + 2 < segment.size() && hexadecimal(segment[i + 1]) >= 0 &&
            hexadecimal(segment[i + 2]) >= 0) {
            next = static_cast<char>(hexadecimal(segment[i + 1]) * 16 + hexadecimal(segment[i + 2]));
            i += 2;
        }
        const bool plain = static_cast<unsigned char>(next) >= ' ' && next != '/' && next != '\x7f';
        name += plain ? next : '_';
    }
    if (name.empty()) {
        return "index.html";
    }
    if (name.front() == '.') {
        name.front() = '_';
    }
    constexpr std::size_t longest = 200;
    return name.substr(0, longest);
}

// A file that is removed again unless keep() is called. Writing blocks for as long as the disk does.
class output_file {
public:
    // The first of `name`, `name.1`, `name.2`, ... that is not there yet.
    output_file(const std::string& folder, const std::string& name) {
        for (int number = 0; !file_; ++number) {
            path_ = folder + "/" + name + (number > 0 ? "." + std::to_string(number) : "");
            file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
            if (!file_ && errno != EEXIST) {
                fail();
            }
        }
    }
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    ~output_file() {
        if (!kept_) {
            ::unlink(path_.c_str());
        }
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
            if (count < 0 && errno != EINTR) {
                fail();
            }
            bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
        }
    }
    void keep() noexcept { kept_ = true; }

private:
    [[noreturn]] void fail() const { throw std::system_error(errno, std::system_category(), path_); }

    std::string path_;
    leat::fd file_;
    bool kept_ = false;
};

}  // namespace fetch
