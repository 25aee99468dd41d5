// SPDX-License-Identifier: MIT
#include <fetch/program/written_list.hpp>

#include <fetch/names/reserved.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

namespace fetch {

written_list::written_list(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) {
        file_.reset(std::fopen((path_ + std::string(unfinished_suffix)).c_str(), "we"));
        if (file_ == nullptr) {
            fail();
        }
    }
}

void written_list::fail() const {
    throw std::system_error(errno, std::system_category(), path_);
}

void written_list::add(const std::string& lines) {
    if (file_ != nullptr) {
        std::fwrite(lines.data(), 1, lines.size(), file_.get());
    }
}

void written_list::finish() {
    if (file_ == nullptr) {
        return;
    }
    const bool written = std::ferror(file_.get()) == 0;
    if (std::fclose(file_.release()) != 0 || !written) {
        fail();
    }
    if (std::rename((path_ + std::string(unfinished_suffix)).c_str(), path_.c_str()) != 0) {
        fail();
    }
}

}  // namespace fetch
