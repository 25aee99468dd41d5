// SPDX-License-Identifier: MIT
// plain_view: a run as lines of text, for a standard output that is no terminal: one as each transfer begins
// and one as it ends; failures on standard error. quiet_view: failures alone.
#pragma once

#include <fetch/views/output.hpp>
#include <fetch/views/view.hpp>

#include <string>

#include <unistd.h>

namespace fetch {

class plain_view : public view {
public:
    explicit plain_view(int output = STDOUT_FILENO, int errors = STDERR_FILENO)
        : lines_(output), errors_(errors, when_lost::be_silent) {}

    void began(const transfer& of) override;
    void tries_again(const transfer& of, leat::duration wait) override;
    void ended(const transfer& of) override;
    // Lines are written ten times a second at the least.
    leat::task<> draw(const run_totals& totals) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;

protected:
    void print(const std::string& line) { lines_.print(line + "\n"); }
    // The last ones.
    void finish(std::string_view stopped);

private:
    printer lines_;
    printer errors_;
};

class quiet_view final : public view {
public:
    explicit quiet_view(int errors = STDERR_FILENO) : errors_(errors, when_lost::be_silent) {}

    void ended(const transfer& of) override;
    leat::task<> draw(const run_totals& totals) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    printer errors_;
};

// The last line of the plain and the terminal's view, without its end: "2 of 3 URLs, 999 bytes in 0.123 s, 1
// failed". Only tasks call it.
[[nodiscard]] std::string totals_line(const run_totals& totals, std::string_view stopped);

}  // namespace fetch
