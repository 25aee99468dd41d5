// SPDX-License-Identifier: MIT
// Reads lines from standard input (a terminal, a pipe or a file), sends each to an echo server, and prints
// the whole reply. Says so and ends when the server closes.
#include "command_line.hpp"

#include <leat/framing.hpp>
#include <leat/system/pipe.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace {

constexpr std::size_t any_length = SIZE_MAX;  // the lines are the user's own

using replies = leat::buffered_reader<leat::tcp_stream&>;
using lines = leat::buffered_reader<leat::pipe_reader>;

// As it was typed, also with "\r" at its end; nothing at the end of the input.
leat::task<std::optional<std::string_view>> next_line(lines& input) {
    const auto line = co_await leat::as_result(input.until("\n", any_length));
    if (line.error() == leat::stream_errc::end_of_stream) {
        co_return co_await input.exactly(input.held());  // the last one, without newline
    }
    co_return line.value();
}

void print_received(std::string_view text) {
    std::printf("Received ");
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::printf("\n");
    std::fflush(stdout);
}

std::string name_of(const leat::tcp_stream& server) {
    return server.remote_endpoint().to_string();
}

// Sends `line` and prints the reply, which has its length, in however many pieces it comes. Both at once: the
// server sends back while it still receives, and stops receiving when nobody takes that. False when the
// server has closed.
leat::task<bool> exchange(leat::tcp_stream& server, replies& from, std::string_view line) {
    bool whole = false;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> { (void)co_await leat::as_result(server.send_all(line)); });
        const auto reply = co_await leat::as_result(from.exactly(line.size()));
        whole = reply.ok();
        if (whole) {
            print_received(*reply);
        } else if (reply.error() == std::errc::timed_out) {
            throw std::system_error(reply.error(), name_of(server) + " does not answer");
        } else {
            group.cancel();
        }
    });
    co_return whole;
}

// What the server says while it is asked nothing: mostly that it closes.
leat::task<bool> take_unasked(replies& from) {
    const auto said = co_await leat::as_result(from.recv_chunk());
    const bool open = said.ok() && !said->empty();
    if (open) {
        print_received(said->text());
    }
    co_return open;
}

leat::task<> talk(examples::target where, leat::duration patience) {
    auto server = co_await leat::tcp_stream::connect(where.host, where.port);
    replies from(server);
    from.set_idle(patience);
    lines input(leat::pipe_reader::standard_input());
    for (bool open = true; open;) {
        if (from.held() > 0) {  // behind a reply: no longer in the socket
            open = co_await take_unasked(from);
            continue;
        }
        const auto [line, said] =
            co_await leat::race(next_line(input), leat::readable(server.native_handle()));
        if (!line.has_value()) {
            open = co_await take_unasked(from);
        } else if (!line->has_value()) {
            co_return;  // the end of the input
        } else if (!(*line)->empty()) {
            open = co_await exchange(server, from, **line);
        }
    }
    if (from.held() > 0) {
        co_await take_unasked(from);  // of a reply that was cut off
    }
    std::printf("%s has closed the connection\n", name_of(server).c_str());
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("echo_client", "Sends lines to an echo server and prints the replies.");
    std::string where = "127.0.0.1:8001";
    double timeout = 30;
    std::string backend;
    command.add("server", where, "where the server is", examples::kind::target);
    command.add("--timeout", timeout, "seconds to wait for more of a reply", 0.001, 86400);
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    const leat::duration patience = leat::saturate(std::chrono::duration<double>(timeout));
    return leat::run_main([&] { return talk(examples::parse_target(where), patience); },
                          {.backend = backend});
}
