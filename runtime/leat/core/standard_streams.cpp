// SPDX-License-Identifier: MIT
#include <leat/core/standard_streams.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace leat::detail {

namespace {

// Does `write`, which gives a count or sets errno. A write into a pipe that nobody reads raises SIGPIPE in
// this thread, and no flag of a pipe prevents it (RWF_NOSIGNAL came with Linux 6.18). So the signal is
// blocked meanwhile and taken back. What the program does about SIGPIPE elsewhere is left alone, and so is
// one that was pending already.
template <typename Write>
ssize_t without_sigpipe(Write write) noexcept {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    const bool was_blocked = sigismember(&before, SIGPIPE) == 1;
    bool was_pending = false;
    if (was_blocked) {
        sigset_t pending;
        ::sigpending(&pending);
        was_pending = sigismember(&pending, SIGPIPE) == 1;
    }
    const ssize_t written = write();
    const int error = errno;
    if (written < 0 && error == EPIPE && !was_pending) {
        const timespec at_once{};
        while (::sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    if (!was_blocked) {
        ::pthread_sigmask(SIG_UNBLOCK, &pipe_only, nullptr);
    }
    errno = error;
    return written;
}

}  // namespace

void open_standard_streams() noexcept {
    for (int number = 0; number <= STDERR_FILENO; ++number) {
        if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) {
            continue;
        }
        int opened = ::open("/dev/null", O_RDWR);
        if (opened < 0) {
            opened = ::open("/", O_PATH);
        }
        if (opened > STDERR_FILENO) {  // another thread was faster
            ::close(opened);
        }
    }
}

ssize_t write_without_sigpipe(int fd, std::span<const std::byte> from) noexcept {
    return without_sigpipe([&] { return ::write(fd, from.data(), from.size()); });
}

void write_to_standard_error(std::initializer_list<std::string_view> pieces) noexcept {
    std::array<iovec, 4> parts{};
    const std::size_t count = std::min(pieces.size(), parts.size());
    std::transform(pieces.begin(), pieces.begin() + count, parts.begin(), [](std::string_view piece) {
        return iovec{.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
    });
    std::span<iovec> rest(parts.data(), count);
    while (!rest.empty()) {
        // Not by writev(3), which is refused in a blocking function that is cancelled.
        const ssize_t written =
            without_sigpipe([&] { return ::syscall(SYS_writev, STDERR_FILENO, rest.data(), rest.size()); });
        if (written < 0 && errno != EINTR) {
            return;
        }
        std::size_t done = written > 0 ? static_cast<std::size_t>(written) : 0;
        while (!rest.empty() && done >= rest.front().iov_len) {
            done -= rest.front().iov_len;
            rest = rest.subspan(1);
        }
        if (!rest.empty()) {
            rest.front().iov_base = static_cast<char*>(rest.front().iov_base) + done;
            rest.front().iov_len -= done;
        }
    }
}

}  // namespace leat::detail
