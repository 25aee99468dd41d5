// SPDX-License-Identifier: MIT
// Lists of URLs, as editors and programs of every system write them.
#pragma once

#include <leat/fd.hpp>
#include <leat/http.hpp>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace fetch {

// All of a file; of standard input for "-". Throws std::system_error that names it.
inline std::string read_text(const std::string& path) {
    const std::string name = path == "-" ? "standard input" : path;
    leat::fd file;
    if (path != "-") {
        file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) {
            throw std::system_error(errno, std::system_category(), name);
        }
    }
    const int from = path == "-" ? STDIN_FILENO : file.get();
    std::string text;
    char block[65536];
    for (;;) {
        const ssize_t size = ::read(from, block, sizeof block);
        if (size == 0) {
            return text;
        }
        if (size > 0) {
            text.append(block, static_cast<std::size_t>(size));
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::system_category(), name);
        }
    }
}

// One URL a line. A line ends with LF, CR LF or CR; blanks around a URL, blank lines, lines that begin with #
// and byte order marks of UTF-8 do not count. Throws std::runtime_error for a list in UTF-16.
inline std::vector<std::string> urls_of(std::string_view text) {
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        throw std::runtime_error("the list of URLs is in UTF-16, not in UTF-8");
    }
    std::vector<std::string> urls;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find_first_of("\r\n"));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        while (line.starts_with("\xef\xbb\xbf")) {  // also where lists were put together
            line.remove_prefix(3);
        }
        constexpr std::string_view blanks = " \t\v\f";
        const std::size_t begin = line.find_first_not_of(blanks);
        if (begin != std::string_view::npos && line[begin] != '#') {
            urls.emplace_back(line.substr(begin, line.find_last_not_of(blanks) + 1 - begin));
        }
    }
    return urls;
}

}  // namespace fetch
