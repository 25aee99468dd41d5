// SPDX-License-Identifier: MIT
// The code of docs/files.md, as it stands there.
#include "../../support/any_folder.hpp"
#include "../../support/printed_by.hpp"

#include <leat/net.hpp>
#include <leat/system/root_folder.hpp>
#include <leat/system/send_file.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#define main main_of_the_files_page

// FILES: begin
#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>

#include <cstdio>

leat::task<> print_system() {
    const std::string name = co_await leat::read_file("/proc/sys/kernel/ostype", 100);
    std::printf("%s", name.c_str());
}

int main() {
    return leat::run_main(print_system);
}
// FILES: end

#undef main

using namespace std::chrono_literals;
using leat::testing::any_folder;

namespace {

// FILES: begin
leat::task<> copy_file(std::string from, std::string to) {
    auto source = co_await leat::file::open(from);
    auto target = co_await leat::file::create(to);
    std::vector<std::byte> piece(256 * 1024);
    for (std::uint64_t offset = 0;;) {
        const std::size_t size = co_await source.read_at(offset, piece);
        if (size == 0) {
            break;
        }
        co_await target.write_at(offset, std::span(piece).first(size));
        offset += size;
    }
    co_await target.close();
}
// FILES: end

// FILES: begin
leat::task<> note(leat::file& log, std::string line) {
    co_await log.append(line + "\n");
    co_await log.sync_data();  // on the disk before this returns
}

leat::task<leat::file> open_log(std::string path) {
    co_return co_await leat::file::open(path, {.read = false, .append = true, .create = true});
}
// FILES: end

// FILES: begin
leat::task<> count_start(std::string path) {
    const bool there = co_await leat::path_exists(path);
    const std::string before = there ? co_await leat::read_file(path, 100) : "0";
    const std::string now = std::to_string(std::stoi(before) + 1);
    co_await leat::write_file_atomically(path, now);
}
// FILES: end

// FILES: begin
leat::task<std::string> read_upload(const leat::root_folder& uploads, std::string name) {
    auto found = co_await uploads.find_file(std::move(name));
    std::string text(std::min<std::uint64_t>(found.info.size, 1000), '\0');
    co_await found.opened.read_exactly_at(0, text);
    co_return text;
}
// FILES: end

// FILES: begin
leat::task<> take_upload(const leat::root_folder& uploads, std::string name, std::string text) {
    co_await uploads.make_folders("new");
    co_await uploads.write_new_file("new/" + name, text, {.sync = true});  // errc::file_exists
    co_await (co_await uploads.open_folder("new")).sync();
}
// FILES: end

// FILES: begin
leat::task<std::uint64_t> size_below(std::string folder) {
    std::uint64_t size = 0;
    const auto entries = co_await leat::list_folder(folder);
    for (const leat::folder_entry& entry : entries) {
        const std::string path = folder + "/" + entry.name;
        if (entry.kind == leat::file_kind::folder) {
            size += co_await size_below(path);
        } else {
            const auto about = co_await leat::link_info_of(path);
            size += about.size;
        }
    }
    co_return size;
}
// FILES: end

// FILES: begin
leat::task<> send_page(leat::tcp_stream& peer, std::string path) {
    auto page = co_await leat::file::open(path);
    const auto about = co_await page.info();
    co_await leat::send_file(peer, page, 0, about.size);
}
// FILES: end

// FILES: begin
leat::task<> start_and_crash(leat::simulation& world, leat::simulated_host& host) {
    co_await leat::testing::on_host(host, count_start("/tmp/starts"));
    auto second = leat::spawn(leat::testing::on_host(host, count_start("/tmp/starts")));
    co_await leat::sleep(3ms);  // in the midst of it
    world.crash(host);
    world.restart(host);
    (void)co_await second.join();
    const std::string count = co_await leat::testing::on_host(host, leat::read_file("/tmp/starts", 100));
    CHECK((count == "1" || count == "2"));
}
// FILES: end

}  // namespace

TEST_CASE("files page: the smallest program prints a file") {
    CHECK(leat::testing::printed_by(main_of_the_files_page) == "Linux\n");
}

LEAT_TEST("files page: a file is copied, a log grows and a folder has a size") {
    any_folder where;
    co_await where.make();
    const std::string bytes(600'000, 'x');
    co_await leat::write_file(where.path("one"), bytes);
    co_await copy_file(where.path("one"), where.path("two"));
    const std::string copy = co_await leat::read_file(where.path("two"), bytes.size());
    CHECK((copy == bytes));

    auto log = co_await open_log(where.path("log"));
    co_await note(log, "first");
    co_await note(log, "second");
    const std::string lines = co_await leat::read_file(where.path("log"), 100);
    CHECK(lines == "first\nsecond\n");

    co_await leat::make_folder(where.path("below"));
    co_await leat::rename_file(where.path("two"), where.path("below/two"));
    const std::uint64_t size = co_await size_below(where.path());
    CHECK(size == 2 * bytes.size() + lines.size());

    auto [client, server] = co_await leat::testing::stream_pair();
    co_await send_page(server, where.path("log"));
    std::string received(lines.size(), '\0');
    co_await client.recv_exactly(received);
    CHECK(received == lines);

    co_await count_start(where.path("starts"));
    co_await count_start(where.path("starts"));
    const std::string starts = co_await leat::read_file(where.path("starts"), 100);
    CHECK(starts == "2");
}

TEST_CASE("files page: a crash leaves the old bytes or the new ones") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        INFO("seed: ", seed);
        leat::simulation world({.seed = seed});
        leat::simulated_host& host = world.add_host("host");
        leat::testing::run_simulated(world, [&] { return start_and_crash(world, host); });
    }
}

LEAT_TEST("an upload of the page is read below its folder, and nothing else is") {
    any_folder where;
    co_await where.make();
    co_await leat::make_folder(where.path("uploads"));
    co_await leat::write_file(where.path("uploads/one"), "text");
    co_await leat::write_file(where.path("secret"), "secret");
    const auto uploads = co_await leat::root_folder::open(where.path("uploads"));
    const std::string text = co_await read_upload(uploads, "one");
    CHECK(text == "text");
    const auto refused = co_await leat::as_result(read_upload(uploads, "../secret"));
    CHECK(refused.error() == std::errc::cross_device_link);
    co_await take_upload(uploads, "two", "more");
    const std::string taken = co_await read_upload(uploads, "new/two");
    CHECK(taken == "more");
    const auto again = co_await leat::as_result(take_upload(uploads, "two", "other"));
    CHECK(again.error() == std::errc::file_exists);
}
