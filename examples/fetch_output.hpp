// SPDX-License-Identifier: MIT
// Where fetch puts what it receives: files named after their URLs, which never leave their folder and never
// replace another file.
// Invariant: a file has its own name when it is whole, and not before. Until then its name ends in ".part". A
// download that fails or is stopped leaves no file; only what is killed at once (SIGKILL, a power cut) leaves
// a ".part". fetch does not go on with one: it may be of another run that is not over.
#pragma once

#include "fetch_names.hpp"

#include <leat/fd.hpp>
#include <leat/http.hpp>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fetch {

class output_folder {
public:
    explicit output_folder(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

    // The first of `name`, `name.1`, `name.2`, ... that is not there and was not given before. However many
    // ask for one name, each number is looked at once.
    [[nodiscard]] std::string free_name(const std::string& name) {
        for (;;) {
            std::string numbered = next(name);
            struct stat found{};
            const bool there = ::lstat(path_of(numbered).c_str(), &found) == 0;
            if (!there && given_.insert(numbered).second) {
                return numbered;
            }
        }
    }

    // Of a file that is not whole, when `name` with ".part" is taken.
    [[nodiscard]] std::string next_part(const std::string& name) {
        const std::size_t number = ++next_numbers_[name + "/"];  // no name has a slash
        return (name + "." + std::to_string(number)).append(unfinished);
    }

private:
    std::string next(const std::string& name) {
        const std::size_t number = next_numbers_[name]++;
        return number == 0 ? name : name + "." + std::to_string(number);
    }

    std::string path_;
    std::unordered_map<std::string, std::size_t> next_numbers_;
    std::unordered_set<std::string> given_;
};

// A file under way. It is removed again unless keep() is called. Writing blocks for as long as the disk does.
class output_file {
public:
    // Takes the next free name, and makes nothing yet: who asks first has the lower number.
    output_file(output_folder& folder, std::string wanted)
        : folder_(folder), wanted_(std::move(wanted)), name_(folder.free_name(wanted_)) {}
    output_file(const output_file&) = delete;
    output_file& operator=(const output_file&) = delete;
    ~output_file() {
        if (!part_.empty()) {
            ::unlink(part_.c_str());
        }
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // Where another run, or one that was killed, has such a ".part" already, another is made.
    void open() {
        std::string path = folder_.path_of(name_).append(unfinished);
        for (;;) {
            file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
            if (file_) {
                part_ = std::move(path);
                return;
            }
            if (errno != EEXIST) {
                fail(path);
            }
            path = folder_.path_of(folder_.next_part(wanted_));
        }
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
            if (count < 0 && errno != EINTR) {
                fail(part_);
            }
            bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
        }
    }

    // It is whole. It gets another name than it had when that is taken by now.
    void keep() {
        if (::close(file_.release()) != 0 && errno != EINTR) {  // some file systems tell of a full disk here
            fail(part_);
        }
        while (!rename_to(folder_.path_of(name_))) {
            name_ = folder_.free_name(wanted_);
        }
        part_.clear();
    }

private:
    // False when there is such a file.
    [[nodiscard]] bool rename_to(const std::string& path) {
        if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
            return true;
        }
        if (errno == EINVAL || errno == ENOSYS) {  // as on NFS, which has this instead
            if (::link(part_.c_str(), path.c_str()) == 0) {
                ::unlink(part_.c_str());
                return true;
            }
        }
        if (errno != EEXIST) {
            fail(path);
        }
        return false;
    }
    [[noreturn]] static void fail(const std::string& path) {
        throw std::system_error(errno, std::system_category(), path);
    }

    output_folder& folder_;
    std::string wanted_;
    std::string name_;
    std::string part_;  // its path while it is there
    leat::fd file_;
};

}  // namespace fetch
