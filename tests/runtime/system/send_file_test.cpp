// SPDX-License-Identifier: MIT
#include <leat/system/send_file.hpp>

#include "../../support/any_folder.hpp"

#include <leat/backends/sending_files.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <string>
#include <system_error>

using namespace std::chrono_literals;
using leat::file;
using leat::task;
using leat::testing::any_folder;
using leat::testing::memory_stream;

namespace {

std::string bytes_of(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>(i * 7 / 3);
    }
    return bytes;
}

}  // namespace

LEAT_TEST("a part of a file is sent in pieces, and the stream goes on behind it") {
    any_folder where;
    co_await where.make();
    const std::string bytes = bytes_of(700'000);
    co_await leat::write_file(where.path("one"), bytes);
    auto one = co_await file::open(where.path("one"));
    auto [client, server] = co_await leat::testing::stream_pair();
    std::string got(600'004, '\0');
    leat::testing::nursery tasks;
    auto received = tasks.spawn([&]() -> task<> { co_await client.recv_exactly(got); });
    co_await leat::send_file(server, one, 100, 600'000);
    co_await leat::send_file(server, one, 0, 0);
    co_await server.send_all("next");
    co_await received;
    CHECK((got == bytes.substr(100, 600'000) + "next"));
    CHECK(server.bytes_sent() == got.size());
}

LEAT_TEST("a socket takes a part of a file that is in memory by itself") {
    any_folder where;
    co_await where.make();
    const std::string bytes = bytes_of(100'000);
    co_await leat::write_file(where.path("one"), bytes);
    auto one = co_await file::open(where.path("one"));
    auto [client, server] = co_await leat::testing::stream_pair();
    const std::size_t taken = server.try_send_file(one, 10, 20'000);
    CHECK(server.bytes_sent() == taken);
    CHECK(server.try_send_file(one, 100'000, 10) == 0);
    CHECK(server.try_send_file(one, 0, 0) == 0);
    CHECK(server.try_send_file(one, UINT64_MAX, 2) == 0);
    co_await server.send_all("end");
    server.close();
    CHECK(server.try_send_file(one, 0, 10) == 0);
    std::string got(taken + 3, '\0');
    co_await client.recv_exactly(got);
    CHECK(got == bytes.substr(10, taken) + "end");
    CHECK((taken == 20'000 || !leat::is_in_memory(one.native_handle(), 10, 20'000)));
    co_await one.close();
    CHECK(client.try_send_file(one, 0, 10) == 0);
}

LEAT_TEST("a peer that is gone is an error, and no signal") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), bytes_of(700'000));
    auto one = co_await file::open(where.path("one"));
    auto [client, server] = co_await leat::testing::stream_pair();
    client.reset();
    std::error_code error;
    for (int i = 0; i < 100 && !error; ++i) {  // the kernel, or the simulation, may have to hear of it
        const auto sent = co_await leat::as_result(leat::send_file(server, one, 0, 700'000));
        error = sent.error();
        co_await leat::yield();
    }
    CHECK((error == std::errc::connection_reset || error == std::errc::broken_pipe ||
           error == leat::stream_errc::closed));
}

LEAT_TEST("a send of a file that is cancelled in any turn sends no gap") {
    any_folder where;
    co_await where.make();
    const std::string bytes = bytes_of(3'000'000);
    co_await leat::write_file(where.path("one"), bytes);
    auto one = co_await file::open(where.path("one"));
    for (int turns = 0; turns < 20; ++turns) {
        auto [client, server] = co_await leat::testing::stream_pair();
        auto sending = leat::spawn(leat::send_file(server, one, 0, bytes.size()));
        auto received = leat::spawn(
            [](auto peer) -> task<std::string> {
                std::string all;
                for (;;) {
                    const auto more = co_await leat::as_result(peer.recv_chunk());
                    if (!more.ok() || more->empty()) {
                        co_return all;
                    }
                    all += more->text();
                }
            },
            std::move(client));
        for (int turn = 0; turn < turns; ++turn) {
            co_await leat::yield();
        }
        sending.cancel();
        co_await sending.join();
        server.close();
        const std::string all = co_await received;
        CHECK(bytes.starts_with(all));
    }
}

LEAT_TEST("a file that is shorter than what is to be sent of it ends the stream by a reset") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "12345");
    auto one = co_await file::open(where.path("one"));
    auto [client, server] = co_await leat::testing::stream_pair();
    const auto cut = co_await leat::as_result(leat::send_file(server, one, 2, 10));
    CHECK(cut.error() == leat::stream_errc::end_of_stream);
    CHECK(cut.error_text().starts_with("send " + where.path("one") + ": 3 of 10 bytes arrived"));
    CHECK(!server.is_open());
    std::string got(10, '\0');
    const auto ended = co_await leat::as_result(client.recv_exactly(got));
    CHECK(ended.error() == std::errc::connection_reset);
}

LEAT_TEST("what fails before its first byte leaves the stream as it was") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "12345");
    auto one = co_await file::open(where.path("one"));
    auto [client, server] = memory_stream::pair();
    const auto cut = co_await leat::as_result(leat::send_file(server, one, 5, 10));
    CHECK(cut.error() == leat::stream_errc::end_of_stream);
    co_await server.send_all("next");
    std::string got(4, '\0');
    co_await client.recv_exactly(got);
    CHECK(got == "next");
}

LEAT_TEST("a send of a file that is cancelled midway gives up the stream", on(leat::testing::simulated)) {
    co_await leat::write_file("/tmp/one", bytes_of(700'000));
    auto one = co_await file::open("/tmp/one");
    auto [client, server] = leat::testing::memory_stream::pair({.capacity = 300'000});
    const bool whole = co_await leat::move_on_after(1h, leat::send_file(server, one, 0, 700'000));
    CHECK(!whole);
    const auto refused = co_await leat::as_result(server.send_all("more"));
    CHECK(!refused.ok());
}
