// SPDX-License-Identifier: MIT
// Runs that die while they write a file, each in the midst of what it does: with the process, or with the
// machine. Whatever was on the disk then, no run finds a wrong byte under the final name, or trusts one in a
// file that is not whole.
#include <fetch/files/file_error.hpp>
#include <fetch/files/output_folder.hpp>

#include <leat/io.hpp>
#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using fetch::output_file;
using fetch::output_folder;
using leat::task;

namespace {

constexpr std::size_t file_size = 700'000;
constexpr const char* crash_url = "https://example.org/x";
constexpr const char* boot_file = "/proc/sys/kernel/random/boot_id";

// What the server has: another version now and then.
struct server_file {
    int version = 1;

    [[nodiscard]] std::string tag() const { return "\"" + std::to_string(version) + "\""; }
    [[nodiscard]] static const std::string& bytes_of(const std::string& tag) {
        static std::map<std::string, std::string> made;
        std::string& bytes = made[tag];
        if (bytes.empty()) {
            std::mt19937 next(static_cast<unsigned>(std::stoi(tag.substr(1))));
            bytes.resize(file_size);
            for (char& each : bytes) {
                each = static_cast<char>(next());
            }
        }
        return bytes;
    }
};

struct dying_runs {
    std::mt19937 luck;
    server_file server = {};
    std::uint64_t resumed = 0;        // bytes
    std::uint64_t resumed_apart = 0;  // of them, behind a gap

    [[nodiscard]] std::uint64_t below(std::uint64_t end) { return luck() % end; }
};

task<> check_final_file() {
    const auto found = co_await leat::as_result(leat::read_file("/tmp/out/x", 10 * file_size));
    CHECK((found.ok() || found.error() == std::errc::no_such_file_or_directory ||
           found.error() == std::errc::io_error ||
           found.error() == leat::errno_code(ESHUTDOWN)));  // the machine has stopped
    if (found.ok()) {
        bool whole = false;
        for (int version = 1; version < 10; ++version) {
            whole = whole || *found == server_file::bytes_of("\"" + std::to_string(version) + "\"");
        }
        CHECK(whole);
    }
}

// What it says is there is what the server had under that tag.
task<> check_trusted(const output_file& file) {
    if (file.count() == 0) {
        co_return;
    }
    const std::string& bytes = server_file::bytes_of(file.known().etag);
    const std::string part = co_await leat::read_file("/tmp/out/x.part", 10 * file_size);
    REQUIRE(part.size() >= file.ranges().end());
    for (const fetch::byte_range& each : file.ranges().all()) {
        CHECK((part.substr(each.begin, each.size()) == bytes.substr(each.begin, each.size())));
    }
}

// A piece of what is missing: behind what is there, or, as of several connections, anywhere.
task<> write_piece(dying_runs& runs, output_file& file, const std::string& bytes, bool in_order) {
    const std::size_t size = 1 + runs.below(150'000);
    if (in_order && file.ranges().end() == file.ranges().prefix()) {
        co_await file.write(std::string_view(bytes).substr(file.there(), size));
        co_return;
    }
    const auto missing = file.ranges().gaps(file_size).all();
    const fetch::byte_range gap = missing.at(runs.below(missing.size()));
    const std::uint64_t from = gap.begin + (runs.below(2) == 0 ? 0 : runs.below(gap.size()));
    const std::string_view piece = std::string_view(bytes).substr(from, std::min(size, gap.end - from));
    co_await file.write_at(from, piece);
}

// One try: all of it, or to a point where it is left or given up.
task<bool> transfer(dying_runs& runs, output_file& file) {
    const std::string& bytes = server_file::bytes_of(runs.server.tag());
    if (file.count() > 0 && file.known().etag == runs.server.tag()) {
        runs.resumed += file.count();
        runs.resumed_apart += file.count() - file.there();
        co_await file.go_on();
    } else {
        co_await file.begin({.url = crash_url, .etag = runs.server.tag(), .size = file_size});
    }
    const std::uint64_t stop = runs.below(2) == 0 ? file_size : runs.below(file_size);
    const bool in_order = runs.below(2) == 0;
    while (file.count() < file_size) {
        if (file.count() >= stop) {
            co_return false;
        }
        co_await write_piece(runs, file, bytes, in_order);
        co_await leat::sleep(1ms);
    }
    co_return true;
}

task<> fetch_it(dying_runs& runs, bool to_the_end) {
    auto folder = co_await output_folder::open(
        "/tmp/out", {.when_there = fetch::existing_file::replace, .sync = true, .server_time = true});
    do {
        auto file = co_await folder.claim("x", crash_url);
        if (file.name() != "x") {
            co_return;  // it was given by a try before
        }
        co_await check_trusted(file);
        for (;;) {
            const bool whole = co_await transfer(runs, file);
            if (whole) {
                co_await file.keep(std::chrono::system_clock::time_point(1h));
                co_await check_final_file();
                co_return;
            }
            if (!to_the_end && runs.below(2) == 0) {
                (void)co_await file.leave();
                co_return;
            }
        }
    } while (to_the_end);
}

// A full disk or one with errors ends the run; nothing else may.
task<> fetch_until_error(dying_runs& runs, bool to_the_end) {
    try {
        co_await fetch_it(runs, to_the_end);
    } catch (const fetch::file_error&) {
        CHECK_FALSE(to_the_end);
    } catch (const std::system_error&) {  // of the test's own looks
        CHECK_FALSE(to_the_end);
    }
}

task<> start_machine(leat::simulation& world, leat::simulated_host& host, int boot) {
    world.restart(host);
    co_await leat::testing::on_host(host, [boot]() -> task<> {
        const std::string id = "boot-" + std::to_string(boot) + "\n";
        for (const char* folder : {"/proc", "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/random"}) {
            (void)co_await leat::as_result(leat::make_folder(folder));
        }
        while (!(co_await leat::as_result(leat::write_file(boot_file, id))).ok()) {
        }
    });
}

task<> live_and_die(leat::simulation& world, leat::simulated_host& host, dying_runs& runs) {
    for (int boot = 1; boot < 5; ++boot) {
        co_await start_machine(world, host, boot);
        for (std::uint64_t processes = runs.below(4); processes > 0; --processes) {
            const auto life = std::chrono::microseconds(runs.below(30'000));
            co_await leat::testing::on_host(host, check_final_file());
            (void)co_await leat::move_on_after(
                life, leat::testing::on_host(host, [&] { return fetch_until_error(runs, false); }));
            runs.server.version += runs.below(8) == 0 ? 1 : 0;
        }
        auto last = leat::spawn(leat::testing::on_host(host, [&] { return fetch_until_error(runs, false); }));
        co_await leat::sleep(std::chrono::microseconds(runs.below(30'000)));
        world.crash(host);
        (void)co_await last.join();
    }
    world.heal();
    co_await start_machine(world, host, 9);
    co_await leat::testing::on_host(host, [&]() -> task<> {
        co_await check_final_file();
        co_await fetch_until_error(runs, true);
        const std::string whole = co_await leat::read_file("/tmp/out/x", 10 * file_size);
        CHECK((whole == server_file::bytes_of(runs.server.tag())));
        const auto beside = co_await leat::list_folder("/tmp/out");
        CHECK(beside.size() == 1);
    });
}

struct resumed_bytes {
    std::uint64_t all = 0;
    std::uint64_t apart = 0;
};

// How many bytes were gone on with, in all of the simulations.
resumed_bytes die_often(const leat::simulated_faults& faults) {
    resumed_bytes resumed;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed ", seed);
        leat::simulation world({.seed = seed, .faults = faults});
        leat::simulated_host& host = world.add_host("machine");
        world.set_disk(host, {.latency = 50us, .sync_latency = 2ms});
        dying_runs runs{std::mt19937(static_cast<unsigned>(seed))};
        leat::testing::run_simulated(world, [&] { return live_and_die(world, host, runs); });
        resumed.all += runs.resumed;
        resumed.apart += runs.resumed_apart;
    }
    return resumed;
}

}  // namespace

TEST_CASE("runs that die while they write leave no wrong byte, and go on with what is right") {
    const resumed_bytes resumed =
        die_often({.short_transfer = 0.2, .late_completion = 0.2, .late_cancel = 0.2, .delay = 1ms});
    CHECK(resumed.all > file_size);
    CHECK(resumed.apart > file_size);
}

TEST_CASE("neither do they on a disk that fails or is full now and then") {
    const resumed_bytes resumed = die_often(
        {.short_transfer = 0.1, .late_completion = 0.1, .delay = 1ms, .disk_error = 0.05, .disk_full = 0.05});
    CHECK(resumed.all > 0);
}
