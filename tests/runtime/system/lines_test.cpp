// SPDX-License-Identifier: MIT
// What standard input may be, read by lines.
#include <leat/fd.hpp>
#include <leat/framing/buffered_reader.hpp>
#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using leat::fd;
using leat::task;

namespace {

using lines = std::vector<std::string>;

void write_text(const fd& to, std::string_view text) {
    REQUIRE(::write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

task<lines> lines_of(int descriptor) {
    leat::buffered_reader input(leat::pipe_reader::from_shared_fd(descriptor));
    lines all;
    while (const auto line = co_await input.line()) {
        all.emplace_back(*line);
    }
    co_return all;
}

}  // namespace

LEAT_TEST("a regular file is read by lines while other tasks go on", on(kernel)) {
    char path[] = "/tmp/leat-lines-test-XXXXXX";
    const fd file(::mkostemp(path, O_CLOEXEC));
    ::unlink(path);
    std::string text;
    for (int number = 0; number < 20000; ++number) {
        text += "line " + std::to_string(number) + "\n";
    }
    write_text(file, text + "\nlast");
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    bool went_on = false;
    auto other = leat::spawn([&]() -> task<> {
        co_await leat::yield();
        went_on = true;
    });
    const lines read = co_await lines_of(file.get());
    CHECK(went_on);
    REQUIRE(read.size() == 20002);
    CHECK(read[19999] == "line 19999");
    CHECK(read[20000].empty());
    CHECK(read[20001] == "last");
    co_await other;
}

LEAT_TEST("an empty file has no lines", on(kernel)) {
    const fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const lines read = co_await lines_of(nothing.get());
    CHECK(read.empty());
}

LEAT_TEST("a pipe that others expect to block is read by lines", on(kernel)) {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
    const fd out(both[0]);
    fd in(both[1]);
    auto reading = leat::spawn(lines_of(out.get()));
    for (const std::string_view part : {"a", "b\nc", "\r\n\n", "d"}) {
        write_text(in, part);
        co_await leat::sleep(std::chrono::nanoseconds(1));
    }
    in.reset();
    const lines read = co_await reading;
    CHECK(read == lines{"ab", "c", "", "d"});
    CHECK((::fcntl(out.get(), F_GETFL) & O_NONBLOCK) == 0);
}

LEAT_TEST("a terminal is read by lines, as they are typed", on(kernel)) {
    const fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) {
        MESSAGE("skipped: no pseudoterminal here");
        co_return;
    }
    const fd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(terminal.get() >= 0);
    auto reading = leat::spawn(lines_of(terminal.get()));
    write_text(master, "typed\nwrr\x7fitten\n");  // with a rubout, which the terminal does itself
    write_text(master, "\x04");
    const lines read = co_await reading;
    CHECK(read == lines{"typed", "written"});
}
