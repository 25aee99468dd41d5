// SPDX-License-Identifier: MIT
// What fetch tells while it works. On a terminal: a line for each transfer under way and one for the total,
// drawn again and again. Elsewhere: one plain line as each URL starts, ends or fails.
#pragma once

#include <leat/fd.hpp>
#include <leat/http.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace fetch {

// Nobody can be told any more: whoever read it has gone, or its disk is full. Or, with EINTR, nobody reads it
// and a signal is to end the program.
struct output_lost : std::system_error {
    explicit output_lost(int error) : system_error(error, std::system_category(), "standard output") {}
};

// Waits until `output` takes more. False: one of the signals that a signal_set keeps for later came first.
inline bool wait_for_room(int output) {
    sigset_t blocked;
    sigset_t stopping;
    ::sigemptyset(&stopping);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        if (::sigismember(&blocked, number) == 1) {
            ::sigaddset(&stopping, number);
        }
    }
    const leat::fd signals(::signalfd(-1, &stopping, SFD_CLOEXEC));
    pollfd events[] = {{.fd = output, .events = POLLOUT, .revents = 0},
                       {.fd = signals.get(), .events = POLLIN, .revents = 0}};
    (void)::poll(events, 2, -1);
    return events[1].revents == 0;
}

// Writes all of it at once, in pieces that a pipe that has room takes without waiting. Returns the error.
inline int write_all(int output, std::string_view text) {
    while (!text.empty()) {
        pollfd room{.fd = output, .events = POLLOUT, .revents = 0};
        if (::poll(&room, 1, 0) == 0 && !wait_for_room(output)) {
            return EINTR;
        }
        const ssize_t count = ::write(output, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        }
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return 0;
}

struct transfer {
    std::string url;
    std::string shown;  // the URL without a password
    std::string file;   // its name, when there is one
    std::uint64_t received = 0;
    std::optional<std::uint64_t> size;
    int attempts = 1;
};

// A call that cannot tell what it is to tell throws output_lost: the first one; then no call tells anything.
class progress {
public:
    using place = std::list<transfer>::iterator;

    explicit progress(std::size_t urls) : urls_(urls), live_(::isatty(STDOUT_FILENO) != 0) {}

    place start(const std::string& url) {
        std::string shown = leat::http::printable_url(url);
        if (!live_) {
            print("GET: " + shown + "\n");
        }
        return under_way_.insert(
            under_way_.end(),
            transfer{
                .url = url, .shown = std::move(shown), .file = {}, .received = 0, .size = {}, .attempts = 1});
    }
    void receive(transfer& some, std::size_t bytes) {
        some.received += bytes;
        bytes_ += bytes;
    }
    void end(place ended) {
        ++fetched_;
        const std::string file = ended->file.empty() ? "" : ended->file + ": ";
        const std::string received = std::to_string(ended->received) + " bytes received from ";
        const std::string again =
            ended->attempts > 1 ? " (asked " + std::to_string(ended->attempts) + " times)" : "";
        erase();
        print(file + received + ended->shown + again + ".\n");
        under_way_.erase(ended);
    }
    void fail(place ended, const std::string& why) {
        ++failed_;
        erase();
        print_error(why);
        under_way_.erase(ended);
    }

    // Draws until it is cancelled.
    leat::task<> draw() {
        while (live_) {
            redraw();
            co_await leat::sleep(std::chrono::milliseconds(100));
        }
    }

    // The last line; `stopped` says by what all was stopped, if it was.
    void summarize(leat::duration elapsed, const std::string& stopped) {
        erase();
        char seconds[32];
        std::snprintf(seconds, sizeof seconds, "%.3f", std::chrono::duration<double>(elapsed).count());
        print(std::to_string(fetched_) + " of " + std::to_string(urls_) + " URLs, " + std::to_string(bytes_) +
              " bytes in " + seconds + " s, " + std::to_string(failed_) + " failed" +
              (stopped.empty() ? "" : ", stopped by " + stopped) + "\n");
    }
    [[nodiscard]] bool all_well() const { return failed_ == 0; }

private:
    void print(std::string_view text) {
        if (!lost_) {
            check_written(write_all(STDOUT_FILENO, text));
        }
    }
    // On standard error, which may be lost alone: then the exit status has to do.
    void print_error(const std::string& why) {
        if (!lost_ && write_all(STDERR_FILENO, "error: " + why + "\n") == EINTR) {
            check_written(EINTR);
        }
    }
    void check_written(int error) {
        if (error != 0) {
            lost_ = true;
            throw output_lost(error);
        }
    }

    // What is drawn; lines that stay come in its place.
    void erase() {
        if (lines_drawn_ > 0) {
            print("\x1b[" + std::to_string(std::exchange(lines_drawn_, 0)) + "A\x1b[J");
        }
    }

    void redraw() {
        winsize window{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 20;
        const int columns = known ? window.ws_col : 80;
        const int rows = known && window.ws_row > 4 ? window.ws_row - 2 : 20;
        erase();
        std::string drawn;
        int lines = 0;
        const auto add_line = [&](const std::string& line) {
            drawn += line.substr(0, static_cast<std::size_t>(columns - 1)) + "\n";
            ++lines;
        };
        for (const transfer& each : under_way_) {
            if (lines == rows) {
                break;
            }
            const std::string amount = each.size.value_or(0) > 0
                                           ? std::to_string(100 * each.received / *each.size) + " %  "
                                           : std::to_string(each.received) + " bytes  ";
            add_line(amount + each.shown);
        }
        add_line(std::to_string(fetched_ + failed_) + " of " + std::to_string(urls_) + " done, " +
                 std::to_string(under_way_.size()) + " under way, " + std::to_string(failed_) + " failed, " +
                 std::to_string(bytes_) + " bytes");
        print(drawn);
        lines_drawn_ = lines;
    }

    std::list<transfer> under_way_;
    std::size_t urls_;
    std::size_t fetched_ = 0;
    std::size_t failed_ = 0;
    std::uint64_t bytes_ = 0;
    int lines_drawn_ = 0;
    bool live_;
    bool lost_ = false;
};

}  // namespace fetch
