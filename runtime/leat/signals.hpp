// SPDX-License-Identifier: MIT
// signal_set: Unix signals as something to wait for, through signalfd(2).
#pragma once

#include <leat/fd.hpp>
#include <leat/task.hpp>

#include <initializer_list>

#include <signal.h>

namespace leat {

// Signal numbers as a plain value, for options.
class signal_numbers {
public:
    static constexpr std::size_t most = 8;

    constexpr signal_numbers() noexcept = default;
    constexpr signal_numbers(std::initializer_list<int> numbers) noexcept {
        check(numbers.size() <= most, "a signal_numbers holds at most 8 signals");
        for (const int number : numbers) {
            numbers_[size_++] = number;
        }
    }
    [[nodiscard]] constexpr const int* begin() const noexcept { return numbers_; }
    [[nodiscard]] constexpr const int* end() const noexcept { return numbers_ + size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

private:
    int numbers_[most] = {};
    std::size_t size_ = 0;
};

// While it lives these signals are blocked in this thread and are delivered to next() instead of their
// handlers. In a program with several threads, block them before the others start: a signal to the process
// goes to any thread that does not block it (signal(7)). The old mask comes back at its end.
class signal_set {
public:
    // Throws std::system_error when the kernel refuses a signalfd, std::invalid_argument for no signal.
    explicit signal_set(const signal_numbers& numbers);
    signal_set(std::initializer_list<int> numbers) : signal_set(signal_numbers(numbers)) {}
    signal_set(const signal_set&) = delete;
    signal_set& operator=(const signal_set&) = delete;
    ~signal_set();

    // Waits for one of the signals and gives its number. Several of one number that come before it is
    // asked count as one. Cancelled: none was taken.
    [[nodiscard]] task<int> next();

private:
    fd descriptor_;
    sigset_t previous_;
};

}  // namespace leat
