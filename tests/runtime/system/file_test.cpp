// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"

#include <leat/observe/dump.hpp>
#include <leat/runtime.hpp>
#include <leat/stream.hpp>
#include <leat/system/file.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;
using leat::file;
using leat::task;
using leat::testing::any_folder;

namespace {

constexpr leat::file_options to_write{.write = true, .create = true};

// The text of the error that `action` ends with.
task<std::string> error_of(task<> action) {
    const auto ended = co_await leat::as_result(std::move(action));
    co_return ended.error_text();
}

task<> opened(std::string path, leat::file_options how) {
    auto one = co_await file::open(std::move(path), how);
}

task<std::string> text_at(file& from, std::uint64_t offset, std::size_t size) {
    std::string text(size, '\0');
    text.resize(co_await from.read_at(offset, text));
    co_return text;
}

}  // namespace

LEAT_TEST("what was written at an offset is read there") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), to_write);
    co_await one.write_at(0, "0123456789");
    co_await one.write_at(4, "four");
    const std::string middle = co_await text_at(one, 2, 5);
    CHECK(middle == "23fou");
    const std::string end = co_await text_at(one, 8, 100);
    CHECK(end == "89");
    const std::string behind = co_await text_at(one, 10, 100);
    CHECK(behind.empty());
    co_await one.close();
    CHECK(!one.is_open());
    CHECK(one.native_handle() == -1);
}

LEAT_TEST("read_exactly_at fills the buffer, or says how much was there") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), to_write);
    co_await one.write_at(0, "0123456789");
    std::array<char, 4> four{};
    co_await one.read_exactly_at(3, four);
    CHECK(std::string(four.data(), 4) == "3456");
    const auto cut = co_await leat::as_result(one.read_exactly_at(8, four));
    CHECK(cut.error() == leat::stream_errc::end_of_stream);
    CHECK(cut.error_text().find(where.path("one") + ": 2 of 4 bytes arrived") != std::string::npos);
}

LEAT_TEST("a hole reads as zeros, also beyond 4 GiB") {
    constexpr std::uint64_t far = (std::uint64_t{5} << 30) + 17;
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("sparse"), to_write);
    co_await one.write_at(far, "end");
    const auto about = co_await one.info();
    CHECK(about.size == far + 3);
    const std::string hole = co_await text_at(one, far - 4, 7);
    CHECK(hole == std::string("\0\0\0\0end", 7));
    co_await one.truncate(2);
    const std::string rest = co_await text_at(one, 0, 10);
    CHECK(rest == std::string(2, '\0'));
}

LEAT_TEST("what is appended is behind what is there") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("log"), "first\n");
    auto log = co_await file::open(where.path("log"), {.append = true});
    co_await log.append("second\n");
    auto other = co_await file::open(where.path("log"), {.append = true});
    co_await other.append("third\n");
    co_await log.append("fourth\n");
    const std::string all = co_await leat::read_file(where.path("log"), 100);
    CHECK(all == "first\nsecond\nthird\nfourth\n");
}

LEAT_TEST("info tells size, kind, permissions and time") {
    any_folder where;
    co_await where.make();
    const auto before = leat::current_scheduler().io().wall_now() - 2s;
    auto one = co_await file::open(where.path("one"), {.write = true, .create = true, .permissions = 0600});
    co_await one.write_at(0, "four");
    const auto about = co_await one.info();
    CHECK(about.size == 4);
    CHECK(about.kind == leat::file_kind::regular);
    CHECK(about.permissions == 0600);
    CHECK(about.links == 1);
    CHECK(about.modified >= before);
    const auto by_name = co_await leat::file_info_of(where.path("one"));
    CHECK(by_name.number == about.number);
    CHECK(by_name.device == about.device);
    const auto folder = co_await leat::file_info_of(where.path());
    CHECK(folder.kind == leat::file_kind::folder);
}

LEAT_TEST("a file of a time that no clock reaches is a file", on(leat::testing::kernel)) {
    any_folder where;
    co_await where.make();
    const std::string path = where.path("one");
    co_await opened(path, to_write);
    const auto set = [&path](time_t second) {
        const timespec times[] = {{second, 0}, {second, 999'999'999}};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    };
    for (const int sign : {1, -1}) {
        set(sign * (time_t(1) << 40));  // the file system keeps what it can
        const auto about = co_await leat::file_info_of(path);
        CHECK((about.modified > std::chrono::system_clock::now()) == (sign > 0));
    }
    set(1);
    const auto about = co_await leat::file_info_of(path);
    CHECK(about.modified.time_since_epoch() == 1s + 999'999'999ns);
}

LEAT_TEST("synced, allocated and truncated, a file has the size it was given") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), to_write);
    co_await one.write_at(0, "bytes");
    co_await one.sync();
    co_await one.sync_data();
    const auto allocated = co_await leat::as_result(one.allocate(0, 10'000));
    CHECK((allocated.ok() || allocated.error() == std::errc::operation_not_supported));
    if (allocated.ok()) {
        const auto about = co_await one.info();
        CHECK(about.size == 10'000);
    }
    co_await one.truncate(3);
    const std::string rest = co_await text_at(one, 0, 10);
    CHECK(rest == "byt");
}

LEAT_TEST("an error of a file names the call and the path") {
    any_folder where;
    co_await where.make();
    const std::string missing = co_await error_of(opened(where.path("none"), {}));
    CHECK(missing == "open " + where.path("none") + ": No such file or directory");
    const std::string folder = co_await error_of(opened(where.path(), {}));
    CHECK(folder == "open " + where.path() + ": Is a directory");
    co_await leat::write_file(where.path("one"), "1");
    const std::string twice =
        co_await error_of(opened(where.path("one"), {.write = true, .create = true, .exclusive = true}));
    CHECK(twice == "open " + where.path("one") + ": File exists");
    const std::string below = co_await error_of(opened(where.path("one/two"), {}));
    CHECK(below == "open " + where.path("one/two") + ": Not a directory");
    const std::string name(256, 'n');
    const std::string too_long = co_await error_of(opened(where.path(name), {}));
    CHECK(too_long == "open " + where.path(name) + ": File name too long");
    const std::string zero = co_await error_of(opened(std::string("a\0b", 3), {}));
    CHECK(zero == "open a\\0...: Invalid argument");
    auto to_read = co_await file::open(where.path("one"));
    const std::string unwritable = co_await error_of(to_read.write_at(0, "more"));
    CHECK(unwritable == "write to " + where.path("one") + ": 0 of 4 bytes written: Bad file descriptor");
    const std::string far = co_await error_of(to_read.truncate(UINT64_MAX));
    CHECK(far == "truncate " + where.path("one") + ": Invalid argument");
}

LEAT_TEST("a name of 255 bytes is a name") {
    any_folder where;
    co_await where.make();
    const std::string path = where.path(std::string(255, 'n'));
    co_await leat::write_file(path, "long");
    const std::string text = co_await leat::read_file(path, 10);
    CHECK(text == "long");
}

LEAT_TEST("truncate empties what was there, and exclusive makes what was not") {
    any_folder where;
    co_await where.make();
    auto made = co_await file::open(where.path("one"), {.write = true, .create = true, .exclusive = true});
    co_await made.write_at(0, "old bytes");
    auto again = co_await file::create(where.path("one"));
    const auto about = co_await made.info();
    CHECK(about.size == 0);
    CHECK(again.path() == where.path("one"));
}

LEAT_TEST("operations on one file go on at once") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), to_write);
    std::vector<int> numbers;
    for (int number = 0; number < 100; ++number) {
        numbers.push_back(number);
    }
    co_await leat::for_each_concurrently(numbers, 20, [&](int number) -> task<> {
        const std::string text(1000, static_cast<char>('a' + number % 26));
        co_await one.write_at(static_cast<std::uint64_t>(number) * 1000, text);
        const std::string got = co_await text_at(one, static_cast<std::uint64_t>(number) * 1000, 1000);
        CHECK(got == text);
    });
    const auto about = co_await one.info();
    CHECK(about.size == 100'000);
}

LEAT_TEST("large pieces are written and read as a whole") {
    any_folder where;
    co_await where.make();
    std::string bytes(3'000'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(i * 7 / 5);
    }
    co_await leat::write_file(where.path("large"), bytes);
    const std::string got = co_await leat::read_file(where.path("large"), bytes.size());
    CHECK((got == bytes));
    const auto refused = co_await leat::as_result(leat::read_file(where.path("large"), bytes.size() - 1));
    CHECK(refused.error() == std::errc::file_too_large);
}

LEAT_TEST("a closed file refuses what comes, and what is under way ends first") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), to_write);
    const std::string text(100'000, 'x');
    leat::testing::nursery tasks;
    auto written = tasks.spawn([&] { return one.write_at(0, text); });
    co_await leat::yield();
    co_await one.close();
    CHECK(written.done());
    co_await written;
    const std::string late = co_await error_of(one.write_at(0, "more"));
    CHECK(late == "write to " + where.path("one") + ": the stream is closed");
    const std::string again = co_await error_of(one.close());
    CHECK(again == "close " + where.path("one") + ": the stream is closed");
    const auto about = co_await leat::file_info_of(where.path("one"));
    CHECK(about.size == text.size());
}

LEAT_TEST("a file that is dropped while it is read stays open until then") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "bytes");
    std::string text(5, '\0');
    auto one = co_await file::open(where.path("one"));
    auto reading = one.read_exactly_at(0, text);
    one = file();
    const std::string unread = co_await error_of(std::move(reading));
    CHECK(unread == "read " + where.path("one") + ": the stream is closed");

    auto two = co_await file::open(where.path("one"));
    auto begun = leat::spawn(two.read_exactly_at(0, text));
    co_await leat::yield();
    two = file();
    co_await begun;
    CHECK(text == "bytes");
}

LEAT_TEST("a dump says which call on a file a task waits for", on(leat::testing::simulated)) {
    auto one = co_await file::open("/tmp/one", to_write);
    auto waiting = leat::spawn(one.sync());
    co_await leat::yield();
    const std::string dump = leat::dump_tasks();
    CHECK(dump.find("sync of a file") != std::string::npos);
    co_await waiting;
}

LEAT_TEST("a FIFO keeps nobody waiting and is no file", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string path = where.path() + "/fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string read = co_await error_of(opened(path, {}));
    CHECK(read == "open " + path + ": Operation not supported");
    const std::string write = co_await error_of(opened(path, {.read = false, .write = true}));
    CHECK(write == "open " + path + ": No such device or address");
}

LEAT_TEST("a symbolic link is followed, or refused", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string target = where.file("one", "text");
    const std::string link = where.path() + "/link";
    REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
    const std::string text = co_await leat::read_file(link, 10);
    CHECK(text == "text");
    const std::string refused = co_await error_of(opened(link, {.follow = false}));
    CHECK(refused == "open " + link + ": Too many levels of symbolic links");
    const auto itself = co_await leat::link_info_of(link);
    CHECK(itself.kind == leat::file_kind::link);
    const std::string loop = where.path() + "/loop";
    REQUIRE(::symlink(loop.c_str(), loop.c_str()) == 0);
    const std::string endless = co_await error_of(opened(loop, {}));
    CHECK(endless == "open " + loop + ": Too many levels of symbolic links");
}

LEAT_TEST("what may not be read is refused by name", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string path = where.file("secret", "text");
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    if (::access(path.c_str(), R_OK) == 0) {
        MESSAGE("skipped: this user may read everything");
        co_return;
    }
    const std::string refused = co_await error_of(opened(path, {}));
    CHECK(refused == "open " + path + ": Permission denied");
}

LEAT_TEST("an open file is closed in children and does not keep its O_NONBLOCK", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    auto one = co_await file::open(where.path() + "/one", to_write);
    CHECK(::fcntl(one.native_handle(), F_GETFD) == FD_CLOEXEC);
    CHECK((::fcntl(one.native_handle(), F_GETFL) & O_NONBLOCK) == 0);
}

LEAT_TEST("a device without an end of memory is a file, and a full one says so", on(leat::testing::kernel)) {
    auto zeros = co_await file::open("/dev/zero");
    const std::string some = co_await text_at(zeros, 0, 10);
    CHECK(some == std::string(10, '\0'));
    auto full = co_await file::open("/dev/full", {.write = true});
    const std::string refused = co_await error_of(full.write_at(0, "more"));
    CHECK(refused == "write to /dev/full: 0 of 4 bytes written: No space left on device");
    auto terminal = co_await error_of(opened("/dev/ptmx", {}));
    const bool has_none = terminal == "open /dev/ptmx: No such device";  // a container without devpts
    CHECK((has_none || terminal == "open /dev/ptmx: Operation not supported"));
}

LEAT_TEST("a file of a kernel that does not know its size is read to its end", on(leat::testing::kernel)) {
    const std::string status = co_await leat::read_file("/proc/self/status", 1 << 20);
    CHECK(status.find("Name:") == 0);
}

LEAT_TEST("a file that is locked is locked for all others until it is closed") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), {.write = true, .create = true});
    auto other = co_await file::open(where.path("one"), {.write = true});
    const bool first = co_await one.try_lock();
    const bool again = co_await one.try_lock();
    const bool second = co_await other.try_lock();
    CHECK(first);
    CHECK(again);
    CHECK_FALSE(second);
    co_await one.close();
    const bool after = co_await other.try_lock();
    CHECK(after);
}

LEAT_TEST("a file has the time that it is given, and room that does not show") {
    any_folder where;
    co_await where.make();
    auto one = co_await file::open(where.path("one"), {.write = true, .create = true});
    const auto reserved = co_await leat::as_result(one.reserve(0, 10'000));
    CHECK((reserved.ok() || reserved.error() == std::errc::operation_not_supported));
    co_await one.write_at(0, "four");
    for (const auto since :
         {std::chrono::nanoseconds(1'700'000'000'123'456'789), std::chrono::nanoseconds(-1)}) {
        const std::chrono::system_clock::time_point when(since);
        co_await one.set_modified(when);
        const auto about = co_await one.info();
        CHECK(about.modified.time_since_epoch().count() == since.count());
        CHECK(about.size == 4);
    }
    const auto marked = co_await leat::as_result(one.set_attribute("user.leat", "value"));
    CHECK((marked.ok() || marked.error() == std::errc::operation_not_supported));
}
