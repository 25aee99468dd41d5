// SPDX-License-Identifier: MIT
#include <leat/signals.hpp>

#include <leat/io.hpp>

#include <stdexcept>
#include <string>

#include <sys/signalfd.h>

namespace leat {

signal_set::signal_set(const signal_numbers& numbers) {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : numbers) {
        if (sigaddset(&wanted, number) != 0) {
            throw std::invalid_argument("there is no signal " + std::to_string(number));
        }
    }
    descriptor_.reset(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!descriptor_) {
        throw std::system_error(errno_code(errno), "signalfd");
    }
    ::pthread_sigmask(SIG_BLOCK, &wanted, &previous_);
}

signal_set::~signal_set() {
    ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

task<int> signal_set::next() {
    for (;;) {
        co_await readable(descriptor_.get());
        signalfd_siginfo received;
        const ssize_t size = ::read(descriptor_.get(), &received, sizeof received);
        if (size == sizeof received) {
            co_return static_cast<int>(received.ssi_signo);
        }
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            throw std::system_error(errno_code(errno), "signalfd");
        }
    }
}

}  // namespace leat
