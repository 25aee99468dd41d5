// SPDX-License-Identifier: MIT
// What fetch tells while it works. On a terminal: a line for each transfer under way and one for the total,
// drawn again and again. Elsewhere: one plain line as each URL starts, ends or fails.
#pragma once

#include <leat/http.hpp>

#include <cstdint>
#include <cstdio>
#include <list>
#include <optional>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace fetch {

struct transfer {
    std::string url;
    std::string shown;  // the URL without a password
    std::uint64_t received = 0;
    std::optional<std::uint64_t> size;
};

class progress {
public:
    explicit progress(std::size_t urls) : urls_(urls), live_(::isatty(STDOUT_FILENO) != 0) {}

    transfer& start(const std::string& url) {
        std::string shown = leat::http::printable_url(url);
        if (!live_) {
            std::printf("GET: %s\n", shown.c_str());
            std::fflush(stdout);
        }
        return under_way_.emplace_back(
            transfer{.url = url, .shown = std::move(shown), .received = 0, .size = {}});
    }
    void receive(transfer& some, std::size_t bytes) {
        some.received += bytes;
        bytes_ += bytes;
    }
    void end(const transfer& ended) {
        ++fetched_;
        leave(ended, std::to_string(ended.received) + " bytes received from " + ended.shown + ".\n", stdout);
    }
    void fail(const transfer& ended, const std::string& why) {
        ++failed_;
        leave(ended, "error: " + why + "\n", stderr);
    }

    // Draws until it is cancelled.
    leat::task<> draw() {
        while (live_) {
            redraw();
            co_await leat::sleep(std::chrono::milliseconds(100));
        }
    }

    void summarize(leat::duration elapsed) {
        erase();
        const double seconds = std::chrono::duration<double>(elapsed).count();
        std::printf("%zu of %zu URLs, %llu bytes in %.3f s, %zu failed\n", fetched_, urls_,
                    static_cast<unsigned long long>(bytes_), seconds, failed_);
        std::fflush(stdout);
    }
    [[nodiscard]] bool all_well() const { return failed_ == 0; }

private:
    // The line that stays of a transfer; what is drawn comes below it.
    void leave(const transfer& ended, const std::string& line, std::FILE* where) {
        erase();
        std::fflush(stdout);
        std::fputs(line.c_str(), where);
        std::fflush(where);
        under_way_.remove_if([&](const transfer& other) { return &other == &ended; });
    }

    void erase() {
        if (lines_drawn_ > 0) {
            std::printf("\x1b[%dA\x1b[J", lines_drawn_);
            lines_drawn_ = 0;
        }
    }

    void redraw() {
        winsize window{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 20;
        const int columns = known ? window.ws_col : 80;
        const int rows = known && window.ws_row > 4 ? window.ws_row - 2 : 20;
        erase();
        for (const transfer& each : under_way_) {
            if (lines_drawn_ == rows) {
                break;
            }
            char amount[64];
            if (each.size.has_value() && *each.size > 0) {
                std::snprintf(amount, sizeof amount, "%3llu %%  ",
                              static_cast<unsigned long long>(100 * each.received / *each.size));
            } else {
                std::snprintf(amount, sizeof amount, "%llu bytes  ",
                              static_cast<unsigned long long>(each.received));
            }
            print_line(amount + each.shown, columns);
        }
        print_line(std::to_string(fetched_ + failed_) + " of " + std::to_string(urls_) + " done, " +
                       std::to_string(under_way_.size()) + " under way, " + std::to_string(failed_) +
                       " failed, " + std::to_string(bytes_) + " bytes",
                   columns);
        std::fflush(stdout);
    }

    void print_line(const std::string& line, int columns) {
        std::printf("%.*s\n", columns - 1, line.c_str());
        ++lines_drawn_;
    }

    std::list<transfer> under_way_;
    std::size_t urls_;
    std::size_t fetched_ = 0;
    std::size_t failed_ = 0;
    std::uint64_t bytes_ = 0;
    int lines_drawn_ = 0;
    bool live_;
};

}  // namespace fetch
