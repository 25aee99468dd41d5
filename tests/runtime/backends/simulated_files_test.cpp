// SPDX-License-Identifier: MIT
// What a crash leaves of the files of a simulated host, and the faults of its disk.
#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using leat::file;
using leat::task;
using leat::testing::on_host;
using leat::testing::run_simulated;

namespace {

constexpr leat::file_options to_write{.write = true, .create = true};

// Runs `before` on a host, lets it crash, and gives what `after` finds there.
template <typename Before, typename After>
std::string after_crash(std::uint64_t seed, Before before, After after) {
    leat::simulation world({.seed = seed});
    leat::simulated_host& host = world.add_host("host");
    std::string found;
    run_simulated(world, [&]() -> task<> {
        co_await on_host(host, before);
        world.crash(host);
        world.restart(host);
        found = co_await on_host(host, after);
    });
    return found;
}

// All that was found under any of the seeds.
template <typename Before, typename After>
std::set<std::string> found_after_crashes(Before before, After after, std::uint64_t seeds = 60) {
    std::set<std::string> all;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        all.insert(after_crash(seed, before, after));
    }
    return all;
}

using texts = std::set<std::string>;

task<> write_synced(std::string path, std::string text) {
    auto one = co_await file::open(std::move(path), to_write);
    co_await one.write_at(0, text);
    co_await one.sync();
}

// The bytes of a file; "-" when there is none.
task<std::string> bytes_of(std::string path) {
    const bool there = co_await leat::path_exists(path);
    if (!there) {
        co_return "-";
    }
    co_return co_await leat::read_file(path, 1 << 20);
}

}  // namespace

TEST_CASE("what was synced, with its folder, outlives a crash of its host") {
    const texts found = found_after_crashes(
        []() -> task<> {
            co_await write_synced("/tmp/one", "text");
            co_await leat::sync_folder("/tmp");
        },
        [] { return bytes_of("/tmp/one"); });
    CHECK(found == texts{"text"});
}

TEST_CASE("a new file whose folder was not synced is there after a crash or not") {
    const texts found = found_after_crashes([] { return write_synced("/tmp/one", "text"); },
                                            [] { return bytes_of("/tmp/one"); });
    CHECK(found == texts{"-", "text"});
}

TEST_CASE("a write that was not synced is there after a crash or not, and a large one is torn, too") {
    const auto before = []() -> task<> {
        co_await write_synced("/tmp/one", std::string(1024, 'a'));
        co_await leat::sync_folder("/tmp");
        auto one = co_await file::open("/tmp/one", to_write);
        co_await one.write_at(0, std::string(1024, 'b'));
    };
    const texts found = found_after_crashes(before, []() -> task<std::string> {
        const std::string bytes = co_await bytes_of("/tmp/one");
        co_return {bytes[0], bytes[511], bytes[512], bytes[1023]};
    });
    CHECK(found == texts{"aaaa", "aabb", "bbaa", "bbbb"});
}

TEST_CASE("a rename that was not synced leaves the old file or the new one after a crash, never none") {
    const auto before = []() -> task<> {
        co_await write_synced("/tmp/one", "old");
        co_await write_synced("/tmp/two", "new");
        co_await leat::sync_folder("/tmp");
        co_await leat::rename_file("/tmp/two", "/tmp/one");
    };
    const texts found = found_after_crashes(before, []() -> task<std::string> {
        const std::string one = co_await bytes_of("/tmp/one");
        const std::string two = co_await bytes_of("/tmp/two");
        co_return one + " " + two;
    });
    CHECK(found == texts{"old new", "new -"});
}

TEST_CASE("a file that is renamed before it is synced may have its new name and no bytes after a crash") {
    const auto before = []() -> task<> {
        co_await write_synced("/tmp/one", "old");
        co_await leat::sync_folder("/tmp");
        co_await leat::write_file("/tmp/two", "new");
        co_await leat::rename_file("/tmp/two", "/tmp/one");
        co_await leat::sync_folder("/tmp");
    };
    CHECK(found_after_crashes(before, [] { return bytes_of("/tmp/one"); }) == texts{"", "new"});
}

TEST_CASE("what write_file_atomically has told outlives every crash") {
    const auto before = []() -> task<> {
        co_await leat::write_file_atomically("/tmp/one", "old");
        co_await leat::write_file_atomically("/tmp/one", "new");
    };
    CHECK(found_after_crashes(before, [] { return bytes_of("/tmp/one"); }) == texts{"new"});
}

TEST_CASE("a removal and a truncation are on the disk after their sync only") {
    const auto before = []() -> task<> {
        co_await write_synced("/tmp/one", "one");
        co_await write_synced("/tmp/two", "two");
        co_await leat::sync_folder("/tmp");
        co_await leat::remove_file("/tmp/one");
        auto two = co_await file::open("/tmp/two", to_write);
        co_await two.truncate(1);
    };
    const texts found = found_after_crashes(before, []() -> task<std::string> {
        const std::string one = co_await bytes_of("/tmp/one");
        const std::string two = co_await bytes_of("/tmp/two");
        co_return one + " " + two;
    });
    CHECK(found == texts{"- t", "- two", "one t", "one two"});
}

TEST_CASE("a folder that is lost takes along what is in it") {
    const auto before = []() -> task<> {
        co_await leat::make_folder("/tmp/new");
        co_await write_synced("/tmp/new/one", "text");
        co_await leat::sync_folder("/tmp/new");
    };
    const texts found = found_after_crashes(before, [] { return bytes_of("/tmp/new/one"); });
    CHECK(found == texts{"-", "text"});
}

TEST_CASE("an open file of a host that has crashed fails, after its restart, too") {
    leat::simulation world;
    leat::simulated_host& host = world.add_host("host");
    run_simulated(world, [&]() -> task<> {
        auto one = co_await on_host(host, file::open("/tmp/one", to_write));
        world.crash(host);
        const auto down = co_await on_host(host, leat::as_result(file::open("/tmp/one")));
        CHECK(down.error().value() == ESHUTDOWN);
        world.restart(host);
        const auto dead = co_await leat::as_result(one.write_at(0, "text"));
        CHECK(dead.error().value() == ESHUTDOWN);
    });
}

TEST_CASE("each host has files of its own") {
    leat::simulation world;
    leat::simulated_host& a = world.add_host("a");
    leat::simulated_host& b = world.add_host("b");
    run_simulated(world, [&]() -> task<> {
        co_await on_host(a, leat::write_file("/tmp/one", "of a"));
        const bool there = co_await on_host(b, leat::path_exists("/tmp/one"));
        CHECK(!there);
        auto one = co_await on_host(a, file::open("/tmp/one"));
        std::string text(4, '\0');
        co_await on_host(b, one.read_exactly_at(0, text));
        CHECK(text == "of a");
    });
}

TEST_CASE("a write to a full disk says how much was written") {
    leat::simulation world;
    leat::simulated_host& host = world.add_host("host");
    world.set_disk(host, {.capacity = 3 * 4096});
    run_simulated(world, [&]() -> task<> {
        co_await on_host(host, [&]() -> task<> {
            co_await leat::write_file("/tmp/one", std::string(4096, 'a'));
            const auto full =
                co_await leat::as_result(leat::write_file("/tmp/two", std::string(10'000, 'b')));
            CHECK(full.error_text() ==
                  "write to /tmp/two: 8192 of 10000 bytes written: No space left on device");
            co_await leat::remove_file("/tmp/one");
            co_await leat::write_file("/tmp/two", std::string(10'000, 'b'));
        });
    });
}

TEST_CASE("a call on a file takes the time of its disk") {
    leat::simulation world;
    leat::simulated_host& host = world.add_host("host");
    world.set_disk(host, {.latency = 10ms, .sync_latency = 1s});
    run_simulated(world, [&]() -> task<> {
        const leat::time_point start = leat::now();
        auto one = co_await on_host(host, file::open("/tmp/one", to_write));
        CHECK(leat::now() - start == 10ms);
        co_await one.sync();
        CHECK(leat::now() - start == 1010ms);
    });
}

TEST_CASE("a disk error fails what it strikes, and is counted") {
    leat::simulation world({.faults = {.disk_error = 1}});
    run_simulated(world, []() -> task<> {
        auto one = co_await file::open("/tmp/one", to_write);
        const auto written = co_await leat::as_result(one.write_at(0, "text"));
        CHECK(written.error_text() == "write to /tmp/one: 0 of 4 bytes written: Input/output error");
        const auto synced = co_await leat::as_result(one.sync());
        CHECK(synced.error_text() == "sync /tmp/one: Input/output error");
    });
    const auto faults = world.faults_injected();
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].name == "disk error");
    CHECK(faults[0].count == 2);
}

TEST_CASE("after a sync that failed a second one does not bring back what was lost") {
    texts found;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        leat::simulation world({.seed = seed, .faults = {.disk_error = 0.5}, .quiet_start = true});
        leat::simulated_host& host = world.add_host("host");
        run_simulated(world, [&]() -> task<> {
            bool failed = false;
            co_await on_host(host, [&]() -> task<> {
                co_await write_synced("/tmp/one", "old");
                co_await leat::sync_folder("/tmp");
                auto one = co_await file::open("/tmp/one", to_write);
                co_await one.write_at(0, "new");
                world.begin_faults();
                const auto first = co_await leat::as_result(one.sync());
                failed = !first.ok();
                world.heal();
                co_await one.sync();
            });
            world.crash(host);
            world.restart(host);
            const std::string text = co_await on_host(host, bytes_of("/tmp/one"));
            found.insert(text + (failed ? " after a failure" : ""));
        });
    }
    CHECK(found == texts{"new", "new after a failure", "old after a failure"});
}

namespace {

// A log of records, each with its length and a sum, and only what was synced is told as kept.
class record_log {
public:
    static task<record_log> open(std::string path) {
        record_log made;
        made.file_ = co_await file::open(std::move(path), to_write);
        std::string all(1 << 16, '\0');
        std::size_t size = 0;
        for (std::size_t got = 1; got != 0; size += got) {
            got = co_await made.file_.read_at(size, std::span(all).subspan(size));
        }
        made.read_records(std::string_view(all).substr(0, size));
        co_return made;
    }
    task<> add(char what) {
        const std::string record{what, sum(what, count_)};
        co_await file_.write_at(count_ * 2, record);
        co_await file_.sync_data();
        ++count_;
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    static char sum(char what, std::size_t place) noexcept {
        return static_cast<char>(what ^ static_cast<char>(place * 31 + 7));
    }
    void read_records(std::string_view all) {
        while (count_ * 2 + 1 < all.size() && all[count_ * 2 + 1] == sum(all[count_ * 2], count_)) {
            ++count_;
        }
    }

    file file_;
    std::size_t count_ = 0;
};

task<> add_records(std::size_t& kept) {
    auto log = co_await record_log::open("/tmp/log");
    CHECK(log.count() >= kept);
    kept = std::max(kept, log.count());
    co_await leat::sync_folder("/tmp");
    for (int number = 0; number < 30; ++number) {
        co_await log.add(static_cast<char>('a' + number));
        kept = std::max(kept, log.count());
    }
}

}  // namespace

TEST_CASE("a log that syncs each record keeps all that it has told, whenever its host crashes") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed: ", seed);
        leat::simulation world({.seed = seed, .chaos = true});
        leat::simulated_host& host = world.add_host("host");
        std::size_t kept = 0;
        run_simulated(world, [&]() -> task<> {
            for (int life = 0; life < 4; ++life) {
                auto program = leat::spawn(on_host(host, [&] { return add_records(kept); }));
                const auto rest = leat::current_scheduler().io().random() % 60;
                co_await leat::sleep(std::chrono::milliseconds(1 + rest));
                world.crash(host);
                (void)co_await program.join();
                world.restart(host);
            }
            auto last = co_await on_host(host, record_log::open("/tmp/log"));
            CHECK(last.count() >= kept);
        });
    }
}
