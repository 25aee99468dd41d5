// SPDX-License-Identifier: MIT
// fd: a file descriptor that closes itself. For descriptors on which nothing is pending; a socket with
// operations in flight is retired through the backend instead (core/backend.hpp).
#pragma once

#include <utility>

namespace leat {

class fd {
public:
    fd() noexcept = default;
    explicit fd(int number) noexcept : number_(number) {}
    fd(fd&& other) noexcept : number_(other.release()) {}
    fd& operator=(fd&& other) noexcept {
        if (this != &other) {
            reset(other.release());
        }
        return *this;
    }
    ~fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

    // Gives up ownership: the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

    // Closes what it holds and owns `number` instead.
    void reset(int number = -1) noexcept;

private:
    int number_ = -1;
};

}  // namespace leat
