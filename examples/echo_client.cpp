// SPDX-License-Identifier: MIT
// Reads lines from standard input (a terminal, a pipe or a file), sends each to an echo server, and prints
// the whole reply. Says so and ends when the server closes.
#include "command_line.hpp"

#include <leat/system/pipe.hpp>

#include <optional>
#include <utility>

namespace {

// Lines of standard input, of any length, without blocking the other tasks.
class input_lines {
public:
    // The next line without its newline; empty optional at the end.
    leat::task<std::optional<std::string>> next() {
        for (std::size_t searched = begin_;;) {
            const std::size_t end = buffered_.find('\n', searched);
            if (end != std::string::npos) {
                const std::size_t begin = std::exchange(begin_, end + 1);
                co_return buffered_.substr(begin, end - begin);
            }
            buffered_.erase(0, std::exchange(begin_, 0));
            searched = buffered_.size();
            const leat::chunk more = co_await input_.recv_chunk();
            if (more.empty()) {
                std::optional<std::string> last;
                if (!buffered_.empty()) {
                    last = std::exchange(buffered_, "");
                }
                co_return last;
            }
            buffered_.append(reinterpret_cast<const char*>(more.data()), more.size());
        }
    }

private:
    leat::pipe_reader input_ = leat::pipe_reader::standard_input();
    std::string buffered_;
    std::size_t begin_ = 0;  // of what has not been given
};

// What came first while waiting for input: a line, the end of the input, or something from the server.
struct event {
    std::optional<std::string> line;
    bool from_server = false;
};

leat::task<event> next_event(input_lines& input, leat::tcp_stream& server) {
    event happened;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            co_await leat::readable(server.native_handle());
            happened.from_server = true;
            group.cancel();
        });
        happened.line = co_await input.next();
        group.cancel();
    });
    co_return happened;
}

// Sends `line` and prints the reply, which has its length. Both at once: the server sends back while it still
// receives, and stops receiving when nobody takes that. False when the server has closed.
leat::task<bool> exchange(leat::tcp_stream& server, const std::string& line) {
    std::string reply(line.size(), '\0');
    bool whole = false;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> { (void)co_await leat::as_result(server.send_all(line)); });
        const auto received = co_await leat::as_result(server.recv_exactly(reply));
        whole = received.ok();
        if (!whole) {
            group.cancel();
        }
    });
    if (whole) {
        std::printf("Received %s\n", reply.c_str());
        std::fflush(stdout);
    }
    co_return whole;
}

leat::task<> talk(examples::target where) {
    auto server = co_await leat::tcp_stream::connect(where.host, where.port);
    input_lines input;
    for (;;) {
        const event happened = co_await next_event(input, server);
        if (happened.line.has_value() && happened.line->empty()) {
            continue;
        }
        if (!happened.line.has_value() && !happened.from_server) {
            co_return;
        }
        bool open = false;
        if (happened.line.has_value()) {
            open = co_await exchange(server, *happened.line);
        }
        if (!open) {
            std::printf("%s has closed the connection\n", server.remote_endpoint().to_string().c_str());
            co_return;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("echo_client", "Sends lines to an echo server and prints the replies.");
    std::string where = "127.0.0.1:8001";
    std::string backend;
    command.add("server", where, "where the server is", examples::kind::target);
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return talk(examples::parse_target(where)); }, {.backend = backend});
}
