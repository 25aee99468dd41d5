// SPDX-License-Identifier: MIT
// How a child begins: its streams, place, environment, signals and descriptors; and what keeps it from that.
#include <leat/system/process.hpp>

#include "../../crash/child_process.hpp"
#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

using leat::no_child_is_left;
using leat::process;
using leat::process_options;
using leat::read_to_end;
using leat::redirect;

namespace {

// What a program writes when it is started in that way.
leat::task<std::string> output_of(leat::command_line command, process_options options = {}) {
    options.output = redirect::pipe;
    process child = process::spawn(command, options);
    std::string text = co_await read_to_end(child.output());
    co_await child.wait();
    co_return text;
}

// What starting it says.
std::string refusal(const leat::command_line& command, const process_options& options = {}) {
    try {
        (void)process::spawn(command, options);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "none";
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// From now on pidfd_open(2) fails with `error` in this process, as under an older kernel or in a sandbox.
void forbid_pidfd_open(int error) {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{.len = static_cast<unsigned short>(std::size(rules)), .filter = rules};
    leat::check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "privileges can be given up");
    leat::check(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "a filter can be set");
}

}  // namespace

LEAT_TEST("a child runs in the directory that it is told", on(kernel)) {
    const std::string there = co_await output_of({"pwd"}, {.directory = "/usr"});
    CHECK(there == "/usr\n");
    const std::string message = refusal({"pwd"}, {.directory = "/no/such/place"});
    CHECK(mentions(message, "directory /no/such/place"));
    CHECK(mentions(message, "No such file"));
}

LEAT_TEST("a child gets this process's environment, with what is added or replaced, or only that",
          on(kernel)) {
    ::setenv("LEAT_TEST_KEPT", "kept", 1);
    ::setenv("LEAT_TEST_REPLACED", "old", 1);
    const std::vector<std::string> added{"LEAT_TEST_REPLACED=new", "LEAT_TEST_ADDED=a=b"};
    const std::string all = co_await output_of({"env"}, {.environment = added});
    CHECK(mentions(all, "LEAT_TEST_KEPT=kept\n"));
    CHECK(mentions(all, "LEAT_TEST_REPLACED=new\n"));
    CHECK_FALSE(mentions(all, "LEAT_TEST_REPLACED=old\n"));
    CHECK(mentions(all, "LEAT_TEST_ADDED=a=b\n"));
    const std::string only =
        co_await output_of({"env"}, {.environment = added, .inherit_environment = false});
    CHECK(only == "LEAT_TEST_REPLACED=new\nLEAT_TEST_ADDED=a=b\n");
    const std::vector<std::string> wrong{"NAMELESS"};
    CHECK(mentions(refusal({"env"}, {.environment = wrong}), "NAMELESS"));
    ::unsetenv("LEAT_TEST_KEPT");
    ::unsetenv("LEAT_TEST_REPLACED");
}

LEAT_TEST("errors can go to a pipe of their own, to where the output goes, or nowhere", on(kernel)) {
    const leat::command_line both{"sh", "-c", "echo out; echo bad >&2"};
    process apart = process::spawn(both, {.output = redirect::pipe, .errors = redirect::pipe});
    const std::string output = co_await read_to_end(apart.output());
    const std::string errors = co_await read_to_end(apart.errors());
    CHECK(output == "out\n");
    CHECK(errors == "bad\n");
    const std::string together = co_await output_of(both, {.errors = redirect::output});
    CHECK(together == "out\nbad\n");
    const std::string quiet = co_await output_of(both, {.errors = redirect::null});
    CHECK(quiet == "out\n");
}

LEAT_TEST("a stream can lead to a descriptor of this process", on(kernel)) {
    char name[] = "/tmp/leat_process_test_XXXXXX";
    const leat::fd file(::mkostemp(name, O_CLOEXEC));
    REQUIRE(::unlink(name) == 0);
    process writer = process::spawn({"sh", "-c", "echo to the file"}, {.output = redirect::to(file.get())});
    co_await writer.wait();
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    const std::string read = co_await output_of({"cat"}, {.input = redirect::to(file.get())});
    CHECK(read == "to the file\n");
    CHECK(mentions(refusal({"cat"}, {.input = redirect::to(999'999)}), "descriptor 999999"));
}

// In a process of its own, whose standard streams can be anything.
TEST_CASE("output and errors can change places, also when this process has no standard input") {
    const auto ended = leat::testing::run_in_child([] {
        const leat::fd nowhere(::open("/dev/null", O_WRONLY));
        ::dup2(nowhere.get(), STDOUT_FILENO);
        ::close(STDIN_FILENO);
        leat::run([]() -> leat::task<> {
            process child =
                process::spawn({"sh", "-c", "cat; echo bad >&2"}, {.input = redirect::pipe,
                                                                   .output = redirect::to(STDERR_FILENO),
                                                                   .errors = redirect::to(STDOUT_FILENO)});
            co_await child.input().send_all("through");
            child.input().close();
            co_await child.wait();
            // The lowest free descriptor, 0, becomes the one of /dev/null.
            const leat::fd unwritable(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            const leat::fd only_reads(::fcntl(unwritable.get(), F_DUPFD_CLOEXEC, 3));
            ::close(STDIN_FILENO);
            process quiet = process::spawn({"sh", "-c", "echo out && echo fine >&2"},
                                           {.input = redirect::to(only_reads.get()),
                                            .output = redirect::null,
                                            .errors = redirect::to(STDERR_FILENO)});
            co_await quiet.wait();
        });
    });
    CHECK(ended.status == 0);
    CHECK(ended.errors == "throughfine\n");
}

LEAT_TEST("no descriptor of this process is open in a child, unless it is asked for", on(kernel)) {
    const leat::fd leaking(::open("/dev/null", O_RDONLY));  // not close-on-exec
    REQUIRE(leaking.get() > 3);
    auto [reader, writer] = leat::make_pipe();
    process other = process::spawn({"cat"}, {.input = redirect::pipe, .output = redirect::pipe});
    const std::string listed = co_await output_of({"ls", "/proc/self/fd"});
    CHECK(listed == "0\n1\n2\n3\n");  // the last is the directory that it reads
    const std::string more = co_await output_of({"ls", "/proc/self/fd"}, {.inherit_descriptors = true});
    CHECK(mentions(more, "\n" + std::to_string(leaking.get()) + "\n"));
    CHECK_FALSE(mentions(more, "\n" + std::to_string(reader.native_handle()) + "\n"));
    CHECK_FALSE(mentions(more, "\n" + std::to_string(other.input().native_handle()) + "\n"));
}

LEAT_TEST("a child begins with no signal blocked, and SIGPIPE not ignored", on(kernel)) {
    const leat::signal_set signals{SIGUSR1};
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    const std::string status = co_await output_of({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"});
    std::signal(SIGPIPE, before);
    CHECK(mentions(status, "SigBlk:\t0000000000000000\n"));
    const std::size_t at = status.find("SigIgn:\t");
    REQUIRE(at != std::string::npos);
    const unsigned long long ignored = std::stoull(status.substr(at + 8, 16), nullptr, 16);
    CHECK((ignored >> (SIGPIPE - 1) & 1) == 0);
}

LEAT_TEST("a child leads a process group of its own if that is asked for", on(kernel)) {
    for (const bool own : {true, false}) {
        process child = process::spawn({"cut", "-d", " ", "-f", "5", "/proc/self/stat"},
                                       {.output = redirect::pipe, .new_group = own});
        const std::string group = co_await read_to_end(child.output());
        CHECK(std::stoi(group) == (own ? child.id() : ::getpgrp()));
    }
}

LEAT_TEST("what cannot be started is named, and leaves nothing behind", on(kernel)) {
    char name[] = "/tmp/leat_process_test_XXXXXX";
    const leat::fd file(::mkostemp(name, O_CLOEXEC));
    const std::string forbidden = refusal({name});
    CHECK(mentions(forbidden, name));
    CHECK(mentions(forbidden, "Permission denied"));
    REQUIRE(::unlink(name) == 0);
    CHECK(mentions(refusal({"/no/such/program", "x"}), "spawn /no/such/program: No such file"));
    CHECK(mentions(refusal({"no_such_program_anywhere"}), "no_such_program_anywhere"));
    CHECK(mentions(refusal({"true"}, {.search_path = false}), "spawn true: No such file"));
    CHECK(mentions(refusal({"/"}), "Permission denied"));
    CHECK(mentions(refusal({}), "names a program"));
    CHECK(mentions(refusal({""}), "names a program"));
    CHECK(mentions(refusal({"echo", std::string_view("a\0b", 3)}), "zero byte"));
    CHECK(no_child_is_left());
    co_return;
}

LEAT_TEST("where SIGCHLD is ignored, so that ends are lost, nothing is started", on(kernel)) {
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    const std::string message = refusal({"true"});
    std::signal(SIGCHLD, before);
    CHECK(mentions(message, "SIGCHLD is ignored"));
    CHECK(no_child_is_left());
    co_return;
}

TEST_CASE("where pidfd_open is missing or forbidden, the error says so and nothing is started") {
    for (const int error : {ENOSYS, EPERM}) {
        const auto ended = leat::testing::run_in_child([error] {
            forbid_pidfd_open(error);
            const std::string message = refusal({"true"});
            const bool right = mentions(
                message, error == ENOSYS ? "pidfd_open(2) needs Linux 5.3" : "pidfd_open(2) is refused here");
            return right && no_child_is_left() ? 0 : 1;
        });
        CHECK(ended.status == 0);
    }
}
