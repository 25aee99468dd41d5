// SPDX-License-Identifier: MIT
// static_files, compressed or as they are, over a network and a disk that fail and heal: a file, or a part of
// it, comes whole or as an error, and once they have healed each comes whole.
#include <leat/http.hpp>
#include <leat/system/folder.hpp>

#include "whole_program.hpp"

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint files_at{"10.0.0.1", 80};
constexpr std::uint64_t sizes[] = {0, 1, 5000, 65'536, 65'537, 400'000};

std::string bytes_of(std::uint64_t number) {
    return numbered_text(number, static_cast<std::size_t>(sizes[number]));
}

bool is_disk_failure(std::error_code error) {
    return is_shortage(error) || is_one_of(error, {std::errc::io_error, std::errc::no_space_on_device});
}

// Tries again until the disk lets it.
template <typename Attempt>
task<> on_a_bad_disk(Attempt attempt) {
    for (;;) {
        const auto done = co_await as_result(attempt());
        if (done.ok()) {
            co_return;
        }
        check_failure(done.error(), is_disk_failure(done.error()));
        co_await sleep(10ms);
    }
}

task<http::static_files> made_site() {
    for (std::uint64_t number = 0; number < std::size(sizes); ++number) {
        const std::string bytes = bytes_of(number);
        co_await on_a_bad_disk([&] { return write_file("/tmp/" + std::to_string(number), bytes); });
    }
    std::optional<http::static_files> made;
    co_await on_a_bad_disk([&]() -> task<> { made = co_await http::static_files::open("/tmp"); });
    co_return std::move(*made);
}

// Asks for a file or a part of it. True: it came. A 500 says that the disk has failed.
task<bool> ask_for_some(http::client& client) {
    const std::uint64_t number = draw(std::size(sizes));
    const std::string bytes = bytes_of(number);
    const std::string url = "http://10.0.0.1/" + std::to_string(number);
    const std::uint64_t first = draw(bytes.size() + 1);
    const std::uint64_t last = first + draw(bytes.size() + 1);
    const bool part = draw(2) == 0;
    const std::string range = "bytes=" + std::to_string(first) + "-" + std::to_string(last);
    const http::headers fields = part ? http::headers{{"Range", range}} : http::headers();
    const http::fetched page = co_await client.get(url, {}, fields);
    if (page.status == 500) {
        co_return false;
    }
    const bool none = part && !bytes.empty() && first == bytes.size();
    const bool some = part && !bytes.empty() && !none;
    CHECK(page.status == (none ? 416 : some ? 206 : 200));
    const std::string expected = some ? bytes.substr(first, last - first + 1) : bytes;
    const bool same = none || page.body == expected;
    CHECK(same);
    co_return true;
}

bool is_failure(std::error_code error) {
    return is_network_failure(error) || error == http::error::truncated_body ||
           error == http::error::truncated_content || error == http::error::truncated_head ||
           error == http::error::no_message;
}

task<int> ask_often(http::client& client, int count) {
    int failed = 0;
    for (; count > 0; --count) {
        const auto came = co_await as_result(ask_for_some(client));
        if (!came.ok()) {
            check_failure(came.error(), is_failure(came.error()));
        }
        failed += came.ok() && *came ? 0 : 1;
        co_await sleep(draw_time(20ms));
    }
    co_return failed;
}

void say_nothing(std::exception_ptr /*error*/, std::optional<endpoint> /*peer*/) {}

}  // namespace

LEAT_SIMULATE("files come whole or with an error, and none fails after the faults",
              {.seeds = 30, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    tcp_listener listener = co_await on_host(there, bind_in_the_end(files_at));
    co_await with_task_group([&](task_group& group) -> task<> {
        const auto serve = [&]() -> task<> {
            const http::static_files site = co_await made_site();
            const http::serve_options options{.stop_on = {}, .on_error = say_nothing};
            if (draw(2) == 0) {
                co_await http::serve(std::move(listener), site, options);
            } else {
                const auto any = [](std::string_view) { return true; };
                co_await http::serve(std::move(listener),
                                     http::compressed(site, {.least_bytes = 1, .types = any}), options);
            }
        };
        group.spawn([&] { return on_host(there, serve()); });
        co_await on_host(here, [&]() -> task<> {
            http::client client({.environment_proxies = false});
            (void)co_await gather(ask_often(client, 5), ask_often(client, 5));
            world.heal();
            const auto [one, other] = co_await gather(ask_often(client, 5), ask_often(client, 5));
            CHECK(one + other == 0);
        });
        group.cancel();
    });
}

}  // namespace leat::testing
