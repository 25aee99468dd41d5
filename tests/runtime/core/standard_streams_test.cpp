// SPDX-License-Identifier: MIT
#include <leat/core/standard_streams.hpp>

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

using leat::testing::run_in_child;

namespace {

const char* const backends[] = {"epoll", "poll", "auto"};

void close_standard_streams() {
    for (const int number : {0, 1, 2}) {
        ::close(number);
    }
}

bool is_null_device(int number) {
    struct stat null{};
    struct stat found{};
    return ::stat("/dev/null", &null) == 0 && ::fstat(number, &found) == 0 && S_ISCHR(found.st_mode) &&
           found.st_rdev == null.st_rdev && (::fcntl(number, F_GETFL) & O_ACCMODE) == O_RDWR &&
           (::fcntl(number, F_GETFD) & FD_CLOEXEC) == 0;
}

// Standard error becomes a pipe; gives its other end.
int read_end_of_standard_error() {
    int both[2];
    if (::pipe(both) != 0) {
        std::abort();
    }
    ::dup2(both[1], STDERR_FILENO);
    ::close(both[1]);
    return both[0];
}

leat::task<> fails() {
    throw std::runtime_error("unheard");
    co_return;
}

// A task whose error goes to the report.
leat::task<> leave_an_error() {
    leat::spawn(fails);
    co_await leat::yield();
}

}  // namespace

TEST_CASE("closed standard streams are the null device while a run lasts, and no descriptor of its own") {
    for (const char* backend : backends) {
        const auto ended = run_in_child([&] {
            close_standard_streams();
            return leat::run(
                []() -> leat::task<int> {
                    co_return (is_null_device(0) ? 0 : 1) + (is_null_device(1) ? 0 : 2) +
                        (is_null_device(2) ? 0 : 4);
                },
                {.backend = backend});
        });
        CHECK_MESSAGE(ended.status == 0, backend);
    }
}

TEST_CASE(
    "standard streams that are open are left as they are, and one that is closed does not move another") {
    const auto ended = run_in_child([] {
        struct stat before{};
        ::fstat(STDERR_FILENO, &before);
        ::close(STDOUT_FILENO);
        const bool input = is_null_device(STDIN_FILENO);
        return leat::run([&]() -> leat::task<int> {
            struct stat now{};
            ::fstat(STDERR_FILENO, &now);
            co_return before.st_ino == now.st_ino&& is_null_device(1) && is_null_device(0) == input ? 0 : 1;
        });
    });
    CHECK(ended.status == 0);
}

TEST_CASE("standard input that was closed ends at once") {
    for (const char* backend : backends) {
        const auto ended = run_in_child([&] {
            ::close(STDIN_FILENO);
            ::alarm(60);  // it must not wait for ever
            return leat::run_main(
                []() -> leat::task<int> {
                    leat::pipe_reader input = leat::pipe_reader::standard_input();
                    char byte[1];
                    const std::size_t size = co_await input.recv(byte);
                    co_return static_cast<int>(size);
                },
                {.backend = backend});
        });
        CHECK_MESSAGE(ended.status == 0, backend);
    }
}

TEST_CASE("a report, the error of run_main and a failed check raise no SIGPIPE where nobody reads them") {
    const auto reported = run_in_child([] {
        std::signal(SIGPIPE, SIG_DFL);
        ::close(read_end_of_standard_error());
        leat::run(leave_an_error);
        return 7;
    });
    CHECK(reported.status == 7);
    const auto escaped = run_in_child([] {
        std::signal(SIGPIPE, SIG_DFL);
        ::close(read_end_of_standard_error());
        return leat::run_main(fails);
    });
    CHECK(escaped.status == 1);
    const auto checked = run_in_child([] {
        std::signal(SIGPIPE, SIG_DFL);
        ::close(read_end_of_standard_error());
        leat::check(false, "a rule");
    });
    CHECK(checked.signal == SIGABRT);
}

TEST_CASE("a report into a full pipe that does not block is lost, and nobody waits") {
    const auto ended = run_in_child([] {
        const int reader = read_end_of_standard_error();
        ::fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
        const std::string filling(4096, 'x');
        while (::write(STDERR_FILENO, filling.data(), filling.size()) > 0) {
        }
        ::alarm(60);
        leat::run(leave_an_error);
        char last[8192];
        ::fcntl(reader, F_SETFL, O_NONBLOCK);
        ssize_t size = 0;
        bool only_filling = true;
        while ((size = ::read(reader, last, sizeof last)) > 0) {
            only_filling &= std::string_view(last, static_cast<std::size_t>(size)).find_first_not_of('x') ==
                            std::string_view::npos;
        }
        return only_filling ? 7 : 1;
    });
    CHECK(ended.status == 7);
}

TEST_CASE("the pieces of a line come out whole, also where a write takes only a part") {
    const std::string long_piece(300'000, 'y');  // more than a pipe holds
    const auto ended =
        run_in_child([&] { leat::detail::write_to_standard_error({"a", "", long_piece, "\n"}); });
    CHECK(ended.errors == "a" + long_piece + "\n");
}

TEST_CASE("run_main fails, and says so, when what was printed could not be written") {
    const auto print_to_full_disk = [](int status) {
        return run_in_child([=] {
            const int full = ::open("/dev/full", O_WRONLY);
            ::dup2(full, STDOUT_FILENO);
            std::fputs("lost", stdout);
            return leat::run_main([=]() -> leat::task<int> { co_return status; });
        });
    };
    const auto ended = print_to_full_disk(0);
    CHECK(ended.status == 1);
    CHECK(ended.errors == "error: standard output could not be written\n");
    CHECK(print_to_full_disk(3).status == 3);
}
