// SPDX-License-Identifier: MIT
#include <fetch/views/output.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

constexpr std::size_t enough_to_write = 16 << 10;

// Keeps SIGPIPE from this thread, and takes the one away that a write has made meanwhile.
class without_sigpipe {
public:
    without_sigpipe() noexcept {
        ::sigemptyset(&only_);
        ::sigaddset(&only_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    }
    without_sigpipe(const without_sigpipe&) = delete;
    without_sigpipe& operator=(const without_sigpipe&) = delete;
    ~without_sigpipe() {
        if (::sigismember(&before_, SIGPIPE) == 1) {
            return;
        }
        const timespec at_once{};
        while (!was_pending_ && ::sigtimedwait(&only_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t only_;
    sigset_t before_;
    bool was_pending_ = false;
};

// Waits until `output` takes more: 0. EINTR: one of the signals that a signal_set keeps for later came first.
int wait_for_room(int output, int milliseconds) {
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
    if (::poll(events, 2, milliseconds) == 0) {
        return EAGAIN;
    }
    return events[1].revents == 0 ? 0 : EINTR;
}

bool has_room(int output) {
    pollfd room{.fd = output, .events = POLLOUT, .revents = 0};
    return ::poll(&room, 1, 0) != 0;
}

bool is_regular(int descriptor) {
    struct stat about{};
    return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

// A terminal that has room for one byte lets a write of more wait. Others share what `descriptor` is open as,
// so that cannot be made non-blocking. Nothing for what is no terminal, or is another user's.
leat::fd reopened(int descriptor) {
    if (::isatty(descriptor) != 1) {
        return {};
    }
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    return leat::fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

printer::printer(int descriptor, when_lost policy, std::size_t most)
    : most_(most),
      reopened_(reopened(descriptor)),
      descriptor_(reopened_ ? reopened_.get() : descriptor),
      tells_(policy == when_lost::tell),
      in_pieces_(!is_regular(descriptor)) {}

printer::~printer() {
    if (!lost_) {
        (void)write(0);
    }
}

void printer::print(std::string_view text) {
    if (lost_) {
        return;
    }
    kept_ += text;
    if (kept_.size() >= enough_to_write) {
        check_written(write(kept_.size() > most_ ? -1 : 0));
    }
}

void printer::write_some() {
    check_written(write(0));
}

void printer::flush() {
    check_written(write(-1));
}

void printer::finish(std::string_view stopped) {
    check_written(write(stopped.empty() ? -1 : 1000));
}

int printer::write(int wait) {
    if (kept_.empty() || lost_) {
        return 0;
    }
    const without_sigpipe quiet;
    std::string_view rest = kept_;
    int error = 0;
    while (!rest.empty() && error == 0) {
        if (in_pieces_ && !has_room(descriptor_)) {
            error = wait == 0 ? EAGAIN : wait_for_room(descriptor_, wait);
            continue;
        }
        // A pipe that has room takes a piece of PIPE_BUF without waiting.
        const std::size_t piece = in_pieces_ ? std::min<std::size_t>(rest.size(), PIPE_BUF) : rest.size();
        const ssize_t count = ::write(descriptor_, rest.data(), piece);
        if (count < 0 && errno == EAGAIN && wait == 0) {
            break;  // a terminal whose room is too little to tell of
        }
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            error = errno;
        }
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    kept_.erase(0, kept_.size() - rest.size());
    return error == EAGAIN ? 0 : error;
}

void printer::check_written(int error) {
    if (error == 0) {
        return;
    }
    lost_ = true;
    kept_.clear();
    if (tells_ || error == EINTR) {
        throw output_lost(error);
    }
}

}  // namespace fetch
