// SPDX-License-Identifier: MIT
// printer: writes lines to standard output or standard error for the views. Lines are gathered and written
// together. A reader that is slow holds the run up only when `most` bytes wait for it, and a reader that has
// gone is an error, never SIGPIPE, whatever the program has set for it.
#pragma once

#include <leat/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace fetch {

// Nobody can be told any more: whoever read it has gone, or its disk is full. Or, with EINTR, nobody reads it
// and a signal is to end the program.
struct output_lost : std::system_error {
    explicit output_lost(int error) : system_error(error, std::system_category(), "standard output") {}
};

enum class when_lost : std::uint8_t {
    tell,  // the first call that fails throws output_lost; later ones do nothing
    // Later calls do nothing. output_lost is thrown only for a signal that has come while nobody read.
    be_silent,
};

class printer {
public:
    // Does not own `descriptor`, which may be anything that can be written to, blocking or not.
    explicit printer(int descriptor, when_lost policy = when_lost::tell, std::size_t most = 1 << 20);
    printer(const printer&) = delete;
    printer& operator=(const printer&) = delete;
    ~printer();  // writes what it can without waiting

    // Keeps a copy of it and writes when much has gathered. Waits, with the whole thread, only when more than
    // `most` bytes are kept. Throws output_lost.
    void print(std::string_view text);
    // Writes what can be written without waiting. Throws output_lost.
    void write_some();
    // Writes everything; the thread waits for a reader that is slow. A signal of SIGINT, SIGTERM and SIGHUP
    // that the thread has blocked, as leat::signal_set does, ends the wait (EINTR) and stays pending. Throws
    // output_lost.
    void flush();
    // The same at the end of a run. If a signal has ended it (`stopped`, its name, is not empty) the rest is
    // given up after a second in which nobody reads.
    void finish(std::string_view stopped);

    [[nodiscard]] std::size_t kept() const noexcept { return kept_.size(); }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] bool lost() const noexcept { return lost_; }

private:
    // Waits so many milliseconds for room, again and again; without end if it is -1. Returns the error.
    int write(int wait);
    void check_written(int error);

    std::string kept_;
    std::size_t most_;
    leat::fd reopened_;  // a terminal's, which does not block
    int descriptor_;
    bool tells_;
    bool in_pieces_;
    bool lost_ = false;
};

}  // namespace fetch
