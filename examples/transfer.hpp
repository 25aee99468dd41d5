// SPDX-License-Identifier: MIT
// The messages of transfer.cpp, and its server: to a client that says "start" it sends large messages, and
// prints the receipts that come for them meanwhile.
#pragma once

#include "command_line.hpp"

#include <leat/framing.hpp>

#include <stdexcept>
#include <string>

namespace transfer {

inline constexpr std::size_t message_size = 3 << 20;

inline leat::message_format with_terminator() {
    return leat::message_format::with_terminator("\r<--EOM-->\r", {.limit = message_size});
}

inline std::string receipt_of(int number) {
    return "已收 " + std::to_string(number) + " 条。";
}

inline void print_line(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

inline leat::task<> send_messages(leat::tcp_stream connection, int count) {
    static const std::string message = "head" + std::string(message_size - 8, '.') + "tail";
    leat::message_stream client(std::move(connection), with_terminator());
    const auto started = co_await client.recv();
    if (started != "start") {
        throw std::runtime_error("a client begins with \"start\"");
    }
    const auto send = [&]() -> leat::task<> {
        for (int i = 0; i < count; ++i) {
            co_await client.send(message);
        }
    };
    const auto print_receipts = [&]() -> leat::task<> {
        while (const auto receipt = co_await client.recv()) {
            print_line(std::string(*receipt));
        }
    };
    co_await leat::gather(send(), print_receipts());
}

inline leat::task<> serve(const examples::server_options& options, int count) {
    auto listener = options.listen();
    const auto handler = [count](leat::tcp_stream client) { return send_messages(std::move(client), count); };
    co_await leat::serve(std::move(listener), handler, {.on_listening = examples::announce});
}

inline int serve_main(int argc, char** argv) {
    examples::command_line command("transfer serve", "Sends large messages to clients that say \"start\".");
    examples::server_options options{.host = "127.0.0.1", .port = 9000, .backend = ""};
    int messages = 3;
    options.add_to(command);
    command.add("--messages", messages, "messages for each client", 0, 1'000'000);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options, messages); }, {.backend = options.backend});
    });
}

}  // namespace transfer
