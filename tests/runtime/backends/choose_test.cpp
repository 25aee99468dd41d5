// SPDX-License-Identifier: MIT
#include <leat/backends/choose.hpp>
#include <leat/fd.hpp>
#ifdef LEAT_HAS_URING
#include <leat/backends/uring.hpp>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>

#include <doctest/doctest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// Makes a system call fail with EPERM in this process, as container runtimes do.
bool forbid(std::uint32_t call) {
    std::array<sock_filter, 4> program = {
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// What `body` returns in a process where `call` is forbidden; empty when it cannot be forbidden.
template <typename Body>
std::string where_forbidden(std::uint32_t call, Body body) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const leat::fd from_child(ends[0]);
    leat::fd to_parent(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string answer = forbid(call) ? body() : "";
        const bool told = ::write(to_parent.get(), answer.data(), answer.size()) >= 0;
        ::_exit(told ? 0 : 1);
    }
    REQUIRE(child > 0);
    to_parent.reset();
    std::string answer;
    char part[256];
    ssize_t count = 0;
    while ((count = ::read(from_child.get(), part, sizeof part)) > 0) {
        answer.append(part, static_cast<std::size_t>(count));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    return answer;
}

std::string described(std::string_view name) {
    try {
        const leat::backend_description made = leat::make_backend(name)->describe();
        return made.name + "; " + made.refused;
    } catch (const std::exception& error) {
        return std::string("failed; ") + error.what();
    }
}

}  // namespace

TEST_CASE("an unknown backend is an error that lists the names") {
    CHECK(described("select") ==
          "failed; unknown backend \"select\": use auto, uring, uring-plain, epoll or poll");
}

TEST_CASE("epoll and poll are always there") {
    CHECK(described("epoll") == "epoll; ");
    CHECK(described("poll") == "poll; ");
}

TEST_CASE("auto takes the best backend there is, and says why not a better one") {
    const std::string chosen = described("auto");
    const std::string by_name = described("uring");
    if (by_name == "uring; ") {
        CHECK(chosen == "uring; ");
    } else {
        CHECK(by_name.starts_with("failed; "));
        CHECK(chosen == "epoll; uring refused: " + by_name.substr(8));
    }
}

TEST_CASE("LEAT_BACKEND names the backend when the program does not") {
    const char* before = std::getenv("LEAT_BACKEND");
    const std::string kept = before != nullptr ? before : "";
    ::setenv("LEAT_BACKEND", "epoll", 1);
    CHECK(described("") == "epoll; ");
    ::setenv("LEAT_BACKEND", "kqueue", 1);
    CHECK(described("") == "failed; unknown backend \"kqueue\": use auto, uring, uring-plain, epoll or poll");
    CHECK(described("epoll") == "epoll; ");
    ::setenv("LEAT_BACKEND", "", 1);
    CHECK(described("") == described("auto"));
    if (before != nullptr) {
        ::setenv("LEAT_BACKEND", kept.c_str(), 1);
    } else {
        ::unsetenv("LEAT_BACKEND");
    }
}

TEST_CASE("where io_uring is forbidden, auto falls back and by name it is an error") {
    const std::string by_name = where_forbidden(SYS_io_uring_setup, [] { return described("uring"); });
    if (by_name.empty()) {
        MESSAGE("skipped: no seccomp filter can be set here");
        return;
    }
#ifdef LEAT_HAS_URING
    CHECK(by_name.starts_with("failed; io_uring_setup"));
    CHECK(by_name.ends_with("Operation not permitted"));
#endif
    CHECK(where_forbidden(SYS_io_uring_setup, [] { return described("auto"); }) ==
          "epoll; uring refused: " + by_name.substr(8));
}

TEST_CASE("where epoll is forbidden too, auto takes poll and says why, and by name it is an error") {
    const auto without_epoll = [](std::string_view name) {
        return where_forbidden(SYS_io_uring_setup, [name] {
            return forbid(SYS_epoll_create1) ? described(name) : std::string();
        });
    };
    const std::string by_name = without_epoll("epoll");
    if (by_name.empty()) {
        MESSAGE("skipped: no seccomp filter can be set here");
        return;
    }
    CHECK(by_name == "failed; epoll_create1: Operation not permitted");
    const std::string chosen = without_epoll("auto");
    CHECK(chosen.starts_with("poll; uring refused: "));
    CHECK(chosen.ends_with("; epoll refused: epoll_create1: Operation not permitted"));
    CHECK(without_epoll("poll") == "poll; ");
}

#ifdef LEAT_HAS_URING
TEST_CASE("the self-test notices a filter that allows a ring to be made but not to be worked") {
    const std::string allowed = where_forbidden(SYS_kexec_load, [] { return "tried; " + leat::try_uring(); });
    if (allowed != "tried; ") {
        MESSAGE("skipped: there is no io_uring, or no seccomp filter can be set here");
        return;
    }
    CHECK(where_forbidden(SYS_io_uring_enter, leat::try_uring) == "io_uring_enter: Operation not permitted");
    CHECK(where_forbidden(SYS_io_uring_register, leat::try_uring) ==
          "io_uring_register of a ring of buffers: Operation not permitted");
}
#endif
