// SPDX-License-Identifier: MIT
#include "made_up.hpp"

#include <fetch/views/output.hpp>

#include <cerrno>
#include <climits>
#include <csignal>
#include <optional>
#include <thread>

namespace {

using fetch::printer;

// Blocks a signal and has it pending, as a signal_set that has not been asked yet.
class pending_signal {
public:
    explicit pending_signal(int number) : number_(number) {
        sigset_t only;
        ::sigemptyset(&only);
        ::sigaddset(&only, number);
        ::pthread_sigmask(SIG_BLOCK, &only, &before_);
        (void)::raise(number);
    }
    pending_signal(const pending_signal&) = delete;
    ~pending_signal() {
        (void)is_pending();
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    // Takes it.
    [[nodiscard]] bool is_pending() const {
        sigset_t only;
        ::sigemptyset(&only);
        ::sigaddset(&only, number_);
        const timespec at_once{};
        return ::sigtimedwait(&only, nullptr, &at_once) == number_;
    }

private:
    sigset_t before_{};
    int number_;
};

std::optional<int> error_of(printer& lines) {
    try {
        lines.flush();
    } catch (const fetch::output_lost& lost) {
        return lost.code().value();
    }
    return {};
}

}  // namespace

TEST_CASE("lines are gathered, and written when much has gathered or the printer ends") {
    const made_up::pipe_pair pipe;
    {
        printer lines(pipe.writes.get());
        lines.print("one\n");
        CHECK(pipe.text().empty());
        lines.write_some();
        CHECK(pipe.text() == "one\n");
        lines.print(std::string(20'000, 'x'));
        CHECK(pipe.text() == std::string(20'000, 'x'));
        lines.print("two\n");
    }
    CHECK(pipe.text() == "two\n");
}

TEST_CASE("a full pipe holds nobody up until much is kept, and no byte is lost") {
    const made_up::pipe_pair pipe;
    printer lines(pipe.writes.get());
    std::string all;
    for (int i = 0; i < 20'000; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        all += line;
        lines.print(line);
    }
    CHECK(lines.kept() > 0);
    std::string seen = pipe.text();
    while (lines.kept() > 0) {
        lines.write_some();
        seen += pipe.text();
    }
    CHECK(seen == all);
}

TEST_CASE("a flush waits for a slow reader") {
    const made_up::pipe_pair pipe;
    printer lines(pipe.writes.get(), fetch::when_lost::tell, SIZE_MAX);
    const std::string all(1'000'000, 'y');
    lines.print(all);
    std::string seen;
    std::thread reader([&] {
        while (seen.size() < all.size()) {
            seen += pipe.text();
            std::this_thread::yield();
        }
    });
    lines.flush();
    reader.join();
    CHECK(seen == all);
}

TEST_CASE("a reader that has gone is an error once, and no SIGPIPE, whatever the program does with that") {
    made_up::pipe_pair pipe;
    pipe.reads.reset();
    printer lines(pipe.writes.get());
    printer errors(pipe.writes.get(), fetch::when_lost::be_silent);
    lines.print("text\n");
    CHECK(error_of(lines) == EPIPE);
    CHECK(lines.lost());
    lines.print("text\n");
    CHECK_FALSE(error_of(lines).has_value());
    errors.print("text\n");
    CHECK_FALSE(error_of(errors).has_value());
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a signal that is to end the program ends the wait for a reader, and is still there") {
    const made_up::pipe_pair pipe;
    for (const auto policy : {fetch::when_lost::tell, fetch::when_lost::be_silent}) {
        printer lines(pipe.writes.get(), policy, SIZE_MAX);
        lines.print(std::string(1'000'000, 'z'));
        const pending_signal stopping(SIGTERM);
        CHECK(error_of(lines) == EINTR);
        CHECK(stopping.is_pending());
    }
}

TEST_CASE("a disk that is full is an error") {
    const leat::fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full);
    printer lines(full.get());
    lines.print("text\n");
    CHECK(error_of(lines) == ENOSPC);
}
