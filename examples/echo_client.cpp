// SPDX-License-Identifier: MIT
// Reads lines from standard input (a terminal, a pipe or a file), sends each to an echo server, and prints
// the whole reply. Says so and ends when the server closes.
#include "command_line.hpp"

#include <optional>

#include <unistd.h>

namespace {

// Lines of standard input, without blocking the other tasks.
class input_lines {
public:
    // The next line without its newline; empty optional at the end.
    leat::task<std::optional<std::string>> next() {
        for (;;) {
            if (const std::size_t end = buffered_.find('\n'); end != std::string::npos) {
                std::string line = buffered_.substr(0, end);
                buffered_.erase(0, end + 1);
                co_return line;
            }
            co_await leat::readable(STDIN_FILENO);
            char bytes[4096];
            const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
            if (count < 0 && errno != EAGAIN && errno != EINTR) {
                throw std::system_error(errno, std::system_category(), "standard input");
            }
            if (count == 0) {
                std::optional<std::string> last;
                if (!buffered_.empty()) {
                    last = std::exchange(buffered_, "");
                }
                co_return last;
            }
            buffered_.append(bytes, count > 0 ? static_cast<std::size_t>(count) : 0);
        }
    }

private:
    std::string buffered_;
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

// Sends `line` and prints the reply, which has its length. False when the server has closed.
leat::task<bool> exchange(leat::tcp_stream& server, const std::string& line) {
    const auto sent = co_await leat::as_result(server.send_all(line));
    std::string reply(line.size(), '\0');
    const auto received = co_await leat::as_result(server.recv_exactly(reply));
    if (sent.ok() && received.ok()) {
        std::printf("Received %s\n", reply.c_str());
        std::fflush(stdout);
        co_return true;
    }
    co_return false;
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
