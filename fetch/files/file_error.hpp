// SPDX-License-Identifier: MIT
// file_error: a file could not be written, read or named: one line with its path and the system's reason.
// Thrown by all of fetch/files, so that nobody takes it for an error of the network.
#pragma once

#include <leat/task.hpp>

#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace fetch {

class file_error : public std::runtime_error {
public:
    explicit file_error(const std::system_error& why) : std::runtime_error(why.what()), code_(why.code()) {}
    file_error(std::error_code code, const std::string& what)
        : std::runtime_error(what + ": " + code.message()), code_(code) {}

    [[nodiscard]] const std::error_code& code() const noexcept { return code_; }

private:
    std::error_code code_;
};

// What `work` gives; its std::system_error as a file_error.
template <typename T>
[[nodiscard]] leat::task<T> as_file_error(leat::task<T> work) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(work);
        } else {
            co_return co_await std::move(work);
        }
    } catch (const std::system_error& why) {
        throw file_error(why);
    }
}

}  // namespace fetch
