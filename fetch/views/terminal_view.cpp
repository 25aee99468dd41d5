// SPDX-License-Identifier: MIT
#include <fetch/views/terminal_view.hpp>

#include <fetch/views/columns.hpp>
#include <fetch/views/plain_view.hpp>
#include <fetch/views/text.hpp>

#include <leat/sleep.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <sys/ioctl.h>
#include <sys/stat.h>

namespace fetch {
namespace {

constexpr std::size_t most_ended_lines = 30;     // between two drawings
constexpr std::size_t much_scrolled = 32 << 10;  // bytes, that are not kept for the next drawing
constexpr leat::duration row_span = std::chrono::seconds(3);
constexpr leat::duration all_span = std::chrono::seconds(6);

bool is_same_terminal(int one, int other) {
    struct stat first{};
    struct stat second{};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && S_ISCHR(second.st_mode) &&
           first.st_rdev == second.st_rdev;
}

// What is behind the sequence of a colour.
std::string_view skip_colour(std::string_view text) {
    return text.substr(std::min(text.size(), text.find('m') + 1));
}

std::size_t visible_columns(std::string_view line) {
    std::string visible;
    for (std::size_t at = 0; (at = line.find('\x1b')) != std::string_view::npos;) {
        visible += line.substr(0, at);
        line = skip_colour(line.substr(at));
    }
    return columns_of(visible += line);
}

// How many lines of the terminal it takes: one that was drawn when the window was wider may take several now.
std::size_t lines_taken(std::string_view drawn, std::size_t columns) {
    std::size_t lines = 0;
    for (std::size_t end = 0; (end = drawn.find('\n')) != std::string_view::npos;) {
        const std::size_t wide = visible_columns(drawn.substr(0, end));
        lines += 1 + (wide == 0 ? 0 : (wide - 1) / columns);
        drawn.remove_prefix(end + 1);
    }
    return lines;
}

std::string over_what_was_drawn(std::string_view block) {
    std::string text;
    for (const char each : block) {
        text += each == '\n' ? "\x1b[K\n" : std::string_view(&each, 1);
    }
    return text += "\x1b[J";
}

bool in_background(int terminal) {
    const pid_t foreground = ::tcgetpgrp(terminal);
    return foreground > 0 && foreground != ::getpgrp();
}

}  // namespace

terminal_view::terminal_view(int output, int errors, terminal_form form)
    : lines_(output),
      errors_(errors, when_lost::be_silent),
      form_(form),
      one_terminal_(is_same_terminal(output, errors)) {}

void terminal_view::began(const transfer& of) {
    waiting_.push_back({.of = &of});
    where_.emplace(&of, std::prev(waiting_.end()));
}

void terminal_view::answered(const transfer& of) {
    move(of, receiving_);
    where_.at(&of)->rate.emplace(row_span, leat::now(), of.received);
}

void terminal_view::tries_again(const transfer& of, leat::duration /*wait*/) {
    move(of, waiting_);
    where_.at(&of)->rate.reset();
}

void terminal_view::move(const transfer& of, rows& to) {
    const auto place = where_.at(&of);
    rows& from = place->rate.has_value() ? receiving_ : waiting_;
    if (&from != &to) {
        to.splice(to.end(), from, place);
    }
}

void terminal_view::ended(const transfer& of) {
    const auto place = where_.find(&of);
    rows& from = place->second->rate.has_value() ? receiving_ : waiting_;
    from.erase(place->second);
    where_.erase(place);
    if (of.state != transfer_state::failed) {
        if (ended_lines_ == most_ended_lines) {
            ++left_out_;
        } else {
            ++ended_lines_;
            scrolled_ += ended_line(of, form_) + "\n";
        }
    } else if (one_terminal_) {
        scrolled_ += painted("error:", colour::red, form_) + " " + failure_line(of, form_.unicode) + "\n";
    } else {
        errors_.print("error: " + failure_line(of) + "\n");
        errors_.write_some();
    }
    if (scrolled_.size() > much_scrolled) {
        lines_.print(back_to_begin(window_size()) + scrolled_lines());
    }
}

leat::task<> terminal_view::draw(const run_totals& totals) {
    rate_.emplace(all_span, totals.begin);
    ended_rate_.emplace(all_span, totals.begin);
    for (;;) {
        redraw(totals);
        co_await leat::sleep(std::chrono::milliseconds(100));
    }
}

void terminal_view::redraw(const run_totals& totals) {
    rate_->add(totals.received, leat::now());
    ended_rate_->add(totals.fetched + totals.kept + totals.failed, leat::now());
    if (drawings_++ % 10 == 0) {
        estimate(totals);
    }
    errors_.write_some();
    lines_.write_some();
    if (lines_.kept() > 0) {
        return;  // the terminal is stopped (^S), or slow: it gets the newest when it goes on
    }
    const window size = window_size();
    const std::string next = in_background(lines_.descriptor()) ? "" : block(totals, size);
    if (scrolled_.empty() && left_out_ == 0 && next == drawn_) {
        return;
    }
    lines_.print(back_to_begin(size) + scrolled_lines() + over_what_was_drawn(next));
    drawn_ = next;
    lines_.write_some();
}

void terminal_view::estimate(const run_totals& totals) {
    known_work known;
    for (const row& each : receiving_) {
        if (each.of->size.has_value()) {
            ++known.transfers;
            known.left += *each.of->size - std::min(each.of->there, *each.of->size);
        }
    }
    const std::optional<double> bytes = bytes_left(totals, known);
    const double rate = rate_->value().value_or(0);
    left_.reset();
    if (bytes.has_value() && *bytes >= 1 && rate >= 1) {
        left_ = leat::saturate(std::chrono::duration<double>(*bytes / rate));
    } else if (bytes.has_value() && *bytes < 1 && ended_rate_->value().value_or(0) > 0) {
        const std::uint64_t ended = totals.fetched + totals.kept + totals.failed;
        const auto files = static_cast<double>(*totals.jobs - ended);
        left_ = leat::saturate(std::chrono::duration<double>(files / *ended_rate_->value()));
    }
}

std::string terminal_view::block(const run_totals& totals, const window& size) {
    if (size.drawn == 0) {
        return {};
    }
    const std::size_t all = receiving_.size() + waiting_.size();
    const std::size_t room = size.drawn - 1;
    const std::size_t shown = all <= room ? all : room - std::min<std::size_t>(room, 1);
    const std::size_t shown_receiving = std::min(shown, receiving_.size());
    std::string text;
    const auto add_rows = [&](rows& from, std::size_t count) {
        for (auto each = from.begin(); count > 0; ++each, --count) {
            if (each->rate.has_value()) {
                each->rate->add(each->of->received, leat::now());
            }
            const auto rate = each->rate.has_value() ? each->rate->value() : std::nullopt;
            text += transfer_line(*each->of, rate, size.columns, form_) + "\n";
        }
    };
    add_rows(receiving_, shown_receiving);
    add_rows(waiting_, shown - shown_receiving);
    if (shown < all && room > 0) {
        text += more_line(receiving_.size() - shown_receiving, waiting_.size() - (shown - shown_receiving),
                          size.columns) +
                "\n";
    }
    return text + all_line(totals, rate_->value(), left_, size.columns) + "\n";
}

std::string terminal_view::scrolled_lines() {
    ended_lines_ = 0;
    std::string lines = std::exchange(scrolled_, {});
    if (const std::size_t files = std::exchange(left_out_, 0); files > 0) {
        lines += "and " + std::to_string(files) + " more files are done\n";
    }
    return lines;
}

std::string terminal_view::back_to_begin(const window& size) {
    // What a smaller window has pushed out of itself cannot be reached.
    const std::size_t lines =
        std::min(lines_taken(std::exchange(drawn_, {}), size.columns + 1), size.height - 1);
    std::string text = lines == 0 ? "\r" : "\r\x1b[" + std::to_string(lines) + "A";
    // What only changes is written over, which does not flicker.
    return text += scrolled_.empty() && left_out_ == 0 ? "" : "\x1b[J";
}

terminal_view::window terminal_view::window_size() const {
    winsize size{};
    const bool known = ::ioctl(lines_.descriptor(), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    const std::size_t columns = known ? size.ws_col : 80;
    const std::size_t lines = known && size.ws_row > 0 ? size.ws_row : 24;
    // The last column stays free: terminals differ in what they do at the margin. A third of the lines are
    // for what has ended, and the last one for the cursor.
    return {.columns = columns - 1, .height = lines, .drawn = lines < 2 ? 0 : lines - 1 - lines / 3};
}

void terminal_view::summarize(const run_totals& totals, std::string_view stopped) {
    lines_.print(back_to_begin(window_size()) + "\x1b[J" + scrolled_lines());
    lines_.print(totals_line(totals, stopped) + "\n");
    lines_.finish(stopped);
    errors_.finish(stopped);
}

}  // namespace fetch
