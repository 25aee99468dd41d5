// SPDX-License-Identifier: MIT
#include <fetch/views/terminal_lines.hpp>

#include <fetch/views/columns.hpp>
#include <fetch/views/text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <strings.h>
#include <unistd.h>

namespace fetch {
namespace {

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

bool names_utf8(std::string_view locale) {
    for (std::size_t at = 0; at < locale.size(); ++at) {
        const char* const rest = locale.data() + at;  // of a variable, which ends with a zero
        if (::strncasecmp(rest, "utf-8", 5) == 0 || ::strncasecmp(rest, "utf8", 4) == 0) {
            return true;
        }
    }
    return false;
}

std::string aligned(const std::string& text, std::size_t columns) {
    return std::string(columns - std::min(columns, text.size()), ' ') + text;
}

// How much of the file is there, in thousandths.
std::uint64_t share(const transfer& of) {
    return std::min<std::uint64_t>(1000, static_cast<std::uint64_t>(1000.0 * static_cast<double>(of.there) /
                                                                    static_cast<double>(*of.size)));
}

std::string bar(std::uint64_t thousandths, std::size_t columns, const terminal_form& form) {
    if (!form.unicode) {
        const std::size_t filled = thousandths * (columns - 2) / 1000;
        return "[" + std::string(filled, '#') + std::string(columns - 2 - filled, '-') + "]";
    }
    constexpr std::array<std::string_view, 8> eighths = {"░", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const std::size_t filled = thousandths * columns * 8 / 1000;
    std::string drawn;
    for (std::size_t at = 0; at < columns; ++at) {
        drawn += filled >= 8 * at + 8 ? "█" : eighths[filled > 8 * at ? filled - 8 * at : 0];
    }
    return painted(drawn, colour::green, form);
}

std::string rate_text(std::optional<double> rate) {
    return rate.has_value() ? amount_text(static_cast<std::uint64_t>(*rate)) + "/s" : "";
}

std::string time_left(const transfer& of, std::optional<double> rate) {
    if (!of.size.has_value() || !rate.has_value() || *rate < 1 || *of.size < of.there) {
        return "";
    }
    return time_text(
        leat::saturate(std::chrono::duration<double>(static_cast<double>(*of.size - of.there) / *rate)));
}

std::string waiting_text(const transfer& of) {
    if (of.state == transfer_state::asking) {
        return of.tries > 1 ? "asking, try " + std::to_string(of.tries) : "asking";
    }
    return of.tries > 0 ? "waiting for try " + std::to_string(of.tries + 1) : "waiting";
}

std::size_t bar_columns(std::size_t columns) {
    return columns >= 160 ? 48 : columns >= 100 ? 24 : columns >= 60 ? 14 : 8;
}

// What stands behind the name, each in its own column.
std::string columns_behind(const transfer& of, std::optional<double> rate, std::size_t columns,
                           const terminal_form& form) {
    const std::size_t bar_size = bar_columns(columns);
    std::string text = "  ";
    if (of.size.value_or(0) > 0) {
        text += bar(share(of), bar_size, form) + aligned(std::to_string(share(of) / 10) + "%", 5);
    } else {
        text += aligned(columns >= 100 ? "" : amount_text(of.there), bar_size + 5);
    }
    if (columns >= 100) {
        text +=
            aligned(amount_text(of.there) + (of.size.has_value() ? " of " + amount_text(*of.size) : ""), 17);
    }
    text += aligned(rate_text(rate), 9);
    if (columns >= 60) {
        text += aligned(time_left(of, rate), 9);
    }
    return text;
}

// A part of a line that is left out when there is no room for it: the largest number goes first.
struct part {
    int importance;
    std::string text;
};

std::string joined(std::vector<part> parts, std::size_t columns) {
    for (;;) {
        std::string line;
        for (const part& each : parts) {
            line += (line.empty() ? "" : ", ") + each.text;
        }
        if (line.size() <= columns || parts.size() <= 1) {
            return line.substr(0, columns);
        }
        parts.erase(std::max_element(parts.begin(), parts.end(), [](const part& a, const part& b) {
            return a.importance < b.importance;
        }));
    }
}

}  // namespace

terminal_form terminal_form_of_environment() {
    std::string_view locale;
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        locale = locale.empty() ? variable(name) : locale;
    }
    const std::string_view terminal = variable("TERM");
    const bool monochrome = terminal.empty() || terminal == "dumb" || terminal.starts_with("vt");
    return {.unicode = names_utf8(locale), .colours = variable("NO_COLOR").empty() && !monochrome};
}

bool can_draw_on(int descriptor) {
    const std::string_view terminal = variable("TERM");
    return ::isatty(descriptor) == 1 && !terminal.empty() && terminal != "dumb";
}

std::string painted(std::string_view text, colour with, const terminal_form& form) {
    if (!form.colours) {
        return std::string(text);
    }
    return (with == colour::red ? "\x1b[31m" : "\x1b[32m") + std::string(text) + "\x1b[0m";
}

std::string transfer_line(const transfer& of, std::optional<double> rate, std::size_t columns,
                          const terminal_form& form) {
    const std::string name = printable(of.file.empty() ? of.shown : of.file, form.unicode);
    if (columns < 36) {
        return cut_to(name, columns, form.unicode);
    }
    const std::size_t behind = bar_columns(columns) + (columns >= 100 ? 42 : columns >= 60 ? 25 : 16);
    const std::string text = of.state == transfer_state::receiving
                                 ? columns_behind(of, rate, columns, form)
                                 : "  " + cut_to(waiting_text(of), behind - 2, form.unicode);
    return fill_to(name, columns - behind, form.unicode) + text;
}

std::string more_line(std::size_t receiving, std::size_t waiting, std::size_t columns) {
    std::vector<part> parts;
    if (receiving > 0) {
        parts.push_back({1, "and " + std::to_string(receiving) + " more"});
    }
    if (waiting > 0) {
        parts.push_back({2, (receiving > 0 ? "" : "and ") + std::to_string(waiting) + " that wait"});
    }
    return joined(std::move(parts), columns);
}

std::string all_line(const run_totals& totals, std::optional<double> rate, std::optional<leat::duration> left,
                     std::size_t columns) {
    const std::uint64_t ended = totals.fetched + totals.kept + totals.failed;
    const std::string of_all = totals.jobs.has_value() ? " of " + std::to_string(*totals.jobs) : "";
    std::vector<part> parts = {{1, std::to_string(ended) + of_all + " done"},
                               {6, std::to_string(totals.under_way()) + " under way"}};
    if (totals.kept > 0) {
        parts.push_back({7, std::to_string(totals.kept) + " kept"});
    }
    parts.push_back({totals.failed > 0 ? 2 : 8, std::to_string(totals.failed) + " failed"});
    parts.push_back({5, amount_text(totals.received)});
    if (rate.has_value()) {
        parts.push_back({3, rate_text(rate)});
    }
    if (left.has_value()) {
        parts.push_back({4, time_text(*left) + " left"});
    }
    return joined(std::move(parts), columns);
}

std::string ended_line(const transfer& of, const terminal_form& form) {
    std::string facts = "kept";
    if (of.state == transfer_state::fetched) {
        facts = amount_text(of.received);
        if (of.resumed > 0) {
            facts += " after " + amount_text(of.resumed) + " of an earlier run";
        }
        if (of.times.end.has_value()) {
            facts += ", " + time_text(*of.times.end - of.times.begin);
        }
    }
    if (of.tries > 1) {
        facts += ", " + std::to_string(of.tries) + " tries";
    }
    const std::string what = of.file.empty() ? of.shown : of.file;
    const std::string from = of.file.empty() ? "" : " from " + of.shown;
    return painted(printable(what, form.unicode), colour::green, form) + " (" + facts + ")" +
           printable(from, form.unicode);
}

}  // namespace fetch
