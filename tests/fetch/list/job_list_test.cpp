// SPDX-License-Identifier: MIT
#include <fetch/list/job_list.hpp>

#include "../../support/any_folder.hpp"

#include <leat/fd.hpp>
#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/doctest.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <chrono>

using namespace std::chrono_literals;
using leat::task;

namespace {

task<> write_list(std::string path, std::string text) {
    auto made = co_await leat::file::create(std::move(path));
    if (!text.empty()) {
        co_await made.write_at(0, text);
    }
    co_await made.close();
}

// The URL and the output of each job, or its mistake, and "!" and the text of each list that cannot be read;
// each with a line feed. The first job has the number `first`.
task<std::string> all_of(fetch::job_list& list, std::uint64_t first = 1) {
    std::string seen;
    for (;;) {
        std::string failed;
        try {
            const auto job = co_await list.next();
            if (!job.has_value()) {
                co_return seen;
            }
            CHECK(job->number == first++);
            const std::string output = job->output.empty() ? "" : " > " + job->output;
            seen += (job->mistake.empty() ? job->url + output : job->mistake) + "\n";
        } catch (const std::exception& error) {
            failed = error.what();
        }
        seen += failed.empty() ? "" : "!" + failed + "\n";
    }
}

// Of lists in one folder, which is left out of what is told.
class listed {
public:
    [[nodiscard]] task<> make() const { co_await where_.make(); }
    task<std::string> all_in(std::string text, std::string name = "list") {
        co_await write_list(where_.path(name), std::move(text));
        fetch::job_list list({}, {where_.path(name)});
        std::string seen = co_await all_of(list);
        const std::string folder = where_.path() + "/";
        for (std::size_t at = seen.find(folder); at != std::string::npos; at = seen.find(folder)) {
            seen.erase(at, folder.size());
        }
        co_return seen;
    }

private:
    leat::testing::any_folder where_;
};

// Standard input is another file for as long as this lives.
class other_input {
public:
    explicit other_input(int fd) : before_(::dup(STDIN_FILENO)) {
        REQUIRE(::dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    }
    other_input(const other_input&) = delete;
    other_input& operator=(const other_input&) = delete;
    ~other_input() {
        if (before_) {
            ::dup2(before_.get(), STDIN_FILENO);
        } else {
            ::close(STDIN_FILENO);
        }
    }

private:
    leat::fd before_;
};

const std::string metalink_of_two =
    R"(<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="../a"><url>http://h/1</url></file>)"
    R"(<file name="b"><url>http://h/2</url></file>)";

}  // namespace

LEAT_TEST("a run's jobs are its arguments and then its lists, numbered in this order") {
    leat::testing::any_folder where;
    co_await where.make();
    co_await write_list(where.path("one"), "http://h/3\tout=c\n# no\n\nhttp://h/4");
    co_await write_list(where.path("two"), "");
    co_await write_list(where.path("three"), "http://h/5\r\n");
    fetch::job_list list({"http://h/1", "http://h/2"},
                         {where.path("one"), where.path("two"), where.path("three")});
    const std::string seen = co_await all_of(list);
    CHECK(seen == "http://h/1\nhttp://h/2\nhttp://h/3 > c\nhttp://h/4\nhttp://h/5\n");
    const auto behind = co_await list.next();
    CHECK(!behind.has_value());
}

LEAT_TEST("a list may begin with a byte order mark, and with blanks; its lines end in any way") {
    listed lists;
    co_await lists.make();
    const std::string two = co_await lists.all_in("\xef\xbb\xbfhttp://h/1\r\nhttp://h/2\r\n");
    CHECK(two == "http://h/1\nhttp://h/2\n");
    const std::string blanks = co_await lists.all_in(" \r\n\t\rhttp://h/1\n\n\xef\xbb\xbfhttp://h/2\r");
    CHECK(blanks == "http://h/1\nhttp://h/2\n");
    const std::string none = co_await lists.all_in(" \r\n\xef\xbb\xbf\n  ");
    CHECK(none.empty());
    const std::string half = co_await lists.all_in("\n\xef\xbb");
    CHECK(half == "list:2: %EF%BB: it does not begin with http:// or https://\n");
}

LEAT_TEST("a list in UTF-16 is refused in one line, and so is what is no text") {
    listed lists;
    co_await lists.make();
    const std::string little("\xff\xfeh\0t\0t\0p\0", 10);
    const std::string big("\xfe\xff\0h\0t", 6);
    for (const std::string& text : {little, big}) {
        const std::string seen = co_await lists.all_in(text);
        CHECK(seen == "!list: the list is in UTF-16, not in UTF-8\n");
    }
    const std::string zeros = co_await lists.all_in(std::string("http://h/1\nh\0t\0", 15) + "\nhttp://h/2\n");
    CHECK(zeros == "http://h/1\n!list:2: the line has a zero byte: the list is no text, or not in UTF-8\n");
}

LEAT_TEST("a list that cannot be read is named, and the next ones are read") {
    leat::testing::any_folder where;
    co_await where.make();
    co_await write_list(where.path("one"), "http://h/1\n");
    fetch::job_list list({}, {where.path("none"), where.path(), where.path("one")});
    const std::string seen = co_await all_of(list);
    CHECK(seen == "!" + where.path("none") + ": No such file or directory\n!" + where.path() +
                      ": Is a directory\nhttp://h/1\n");
}

LEAT_TEST("a line that is too long is a mistake, and the next one is read") {
    listed lists;
    co_await lists.make();
    const std::string seen =
        co_await lists.all_in("http://h/" + std::string(2'000'000, 'a') + "\nhttp://h/2\n");
    CHECK(seen.starts_with("list:1: http://h/aaa"));
    CHECK(seen.ends_with("aaa: the line is longer than 1048576 bytes\nhttp://h/2\n"));
    CHECK(seen.size() < 300);
}

LEAT_TEST("a Metalink document is known by its end or by its first character") {
    listed lists;
    co_await lists.make();
    const std::string wanted = "http://h/1 > a\nhttp://h/2 > b\n";
    const std::string by_content = co_await lists.all_in("\xef\xbb\xbf \n" + metalink_of_two + "</metalink>");
    CHECK(by_content == wanted);
    const std::string by_name = co_await lists.all_in(metalink_of_two + "</metalink>", "a.meta4");
    CHECK(by_name == wanted);
    const std::string no_document = co_await lists.all_in("http://h/1\n", "a.meta4");
    CHECK(no_document.starts_with("!a.meta4:1: this is no Metalink document: "));
    const std::string page = co_await lists.all_in("<!doctype html>\n<p>\n");
    CHECK(page == "!list:1: this is no Metalink document: syntax error\n");
}

LEAT_TEST("the files that are whole in a Metalink document that is not are jobs") {
    listed lists;
    co_await lists.make();
    const std::string seen = co_await lists.all_in(metalink_of_two + "\n</wrong>");
    CHECK(seen == "http://h/1 > a\nhttp://h/2 > b\n!list:2: mismatched tag\n");
}

LEAT_TEST("a list of many blocks is whole") {
    listed lists;
    co_await lists.make();
    std::string text;
    std::string wanted;
    for (int i = 0; i < 30'000; ++i) {
        wanted += "http://h/" + std::to_string(i) + "\n";
        text += "http://h/" + std::to_string(i) + (i % 3 == 0 ? "\r\n" : i % 3 == 1 ? "\n" : "\r");
    }
    const std::string seen = co_await lists.all_in(std::move(text));
    CHECK(seen == wanted);
}

LEAT_TEST("the jobs of a FIFO come with their lines, also if its writer comes late",
          on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string path = where.path() + "/fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    fetch::job_list list({}, {path});
    auto first = leat::spawn(list.next());
    leat::fd end;
    while (!end) {  // its reader has not opened it yet
        co_await leat::sleep(1ms);
        end.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    }
    CHECK(!first.done());
    auto writer = leat::pipe_writer::from_fd(end.release());
    co_await writer.send_all("http://h/1\nhttp://h/2\rhttp:");
    const auto one = co_await first;
    CHECK(one.value().url == "http://h/1");
    const auto two = co_await list.next();
    CHECK(two.value().url == "http://h/2");
    const auto none = co_await leat::move_on_after(1ms, list.next());
    CHECK(!none.has_value());
    co_await writer.send_all("//h/3");
    writer.close();
    const auto three = co_await list.next();
    CHECK(three.value().url == "http://h/3");
    CHECK(three.value().number == 3);
    const auto behind = co_await list.next();
    CHECK(!behind.has_value());
}

LEAT_TEST("who waits no more gets what has been read of a FIFO, and all of the files behind it",
          on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const std::string path = where.path() + "/fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const leat::fd end(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    auto writer = leat::pipe_writer::from_shared_fd(end.get());
    co_await writer.send_all("http://h/1\nhttp://h/2\nhttp:");
    co_await write_list(where.path() + "/list", "http://h/3\nhttp://h/4");
    fetch::job_list list({"http://h/0"}, {path, where.path() + "/list", path});
    const auto argument = co_await list.next();
    CHECK(argument.value().url == "http://h/0");
    const auto one = co_await list.next();
    CHECK(one.value().url == "http://h/1");
    list.wait_no_more();
    const std::string rest = co_await all_of(list, 3);
    CHECK(rest == "http://h/2\nhttp://h/3\nhttp://h/4\n");
}

LEAT_TEST("standard input is a list, be it a pipe or a file that was read in part",
          on(leat::testing::kernel)) {
    {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        const leat::fd reader(ends[0]);
        auto writer = leat::pipe_writer::from_fd(ends[1]);
        const other_input input(reader.get());
        co_await writer.send_all("http://h/1\n");
        fetch::job_list list({}, {"-"});
        const auto one = co_await list.next();
        CHECK(one.value().url == "http://h/1");
        co_await writer.send_all("h\n");
        writer.close();
        const std::string rest = co_await all_of(list, 2);
        CHECK(rest == "standard input:2: h: it does not begin with http:// or https://\n");
    }
    const leat::testing::folder where;
    const std::string path = where.file("list", "http://h/1\nhttp://h/2\n");
    const leat::fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::lseek(file.get(), 11, SEEK_SET) == 11);
    const other_input input(file.get());
    fetch::job_list list({}, {"-", path});
    const std::string seen = co_await all_of(list);
    CHECK(seen == "http://h/2\nhttp://h/1\nhttp://h/2\n");
}

LEAT_TEST("who is cancelled while the next job is awaited loses none") {
    leat::testing::any_folder where;
    co_await where.make();
    for (int turns = 0; turns < 8; ++turns) {
        co_await write_list(where.path("one"), "http://h/1\nhttp://h/2\n");
        co_await write_list(where.path("two"), "http://h/3\n");
        fetch::job_list list({}, {where.path("one"), where.path("two")});
        std::string seen;
        std::uint64_t count = 0;
        for (int round = 0; round < 100; ++round) {
            auto asked = leat::spawn(list.next());
            for (int i = 0; i < turns; ++i) {
                co_await leat::yield();
            }
            asked.cancel();
            const auto& ended = co_await asked.join();
            if (ended.ok() && !ended.value().has_value()) {
                break;
            }
            if (ended.ok()) {
                seen += ended.value()->url + "\n";
                CHECK(ended.value()->number == ++count);
            }
        }
        seen += co_await all_of(list, count + 1);
        CHECK(seen == "http://h/1\nhttp://h/2\nhttp://h/3\n");
    }
}
