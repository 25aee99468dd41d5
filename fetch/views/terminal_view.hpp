// SPDX-License-Identifier: MIT
// terminal_view: a run on a terminal: bars for what moves, as many as fit, and a line for all, drawn over and
// over in the last lines; what has ended and what has failed scrolls by above them. It changes no mode of the
// terminal, so nothing must be put back when the program is killed.
#pragma once

#include <fetch/views/output.hpp>
#include <fetch/views/rate.hpp>
#include <fetch/views/terminal_lines.hpp>
#include <fetch/views/view.hpp>

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include <unistd.h>

namespace fetch {

class terminal_view final : public view {
public:
    // `output` is one that can_draw_on says yes for.
    explicit terminal_view(int output = STDOUT_FILENO, int errors = STDERR_FILENO,
                           terminal_form form = terminal_form_of_environment());

    void began(const transfer& of) override;
    void answered(const transfer& of) override;
    void tries_again(const transfer& of, leat::duration wait) override;
    void ended(const transfer& of) override;
    // Ten times a second. What it costs does not depend on how many transfers are under way, but for a look
    // at each once a second.
    leat::task<> draw(const run_totals& totals) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    struct row {
        const transfer* of;
        std::optional<smoothed_rate> rate = {};  // once an answer has come
    };
    using rows = std::list<row>;
    struct window {
        std::size_t columns;  // that are used
        std::size_t height;   // in lines
        std::size_t drawn;    // so many of them at the most
    };

    void redraw(const run_totals& totals);
    void estimate(const run_totals& totals);
    std::string block(const run_totals& totals, const window& size);
    std::string scrolled_lines();
    // The cursor goes to the begin of what is drawn, as it lies in a window of this size.
    std::string back_to_begin(const window& size);
    [[nodiscard]] window window_size() const;
    void move(const transfer& of, rows& to);

    printer lines_;
    printer errors_;
    terminal_form form_;
    bool one_terminal_;  // shows standard error, too

    rows receiving_;
    rows waiting_;
    std::unordered_map<const transfer*, rows::iterator> where_;

    std::string scrolled_;         // whole lines, since the last drawing
    std::size_t ended_lines_ = 0;  // of files in it
    std::size_t left_out_ = 0;     // files that have no line in it: nobody could read so many
    std::string drawn_;            // lies in the last lines of the terminal

    std::optional<smoothed_rate> rate_;
    std::optional<smoothed_rate> ended_rate_;
    std::optional<leat::duration> left_;
    unsigned drawings_ = 0;
};

}  // namespace fetch
