// SPDX-License-Identifier: MIT
// Sends back whatever arrives, from several processes that share one listening socket. A worker that dies is
// replaced, SIGHUP replaces them all, one after the other, and SIGTERM lets them end in order.
#include "command_line.hpp"

#include <leat/system/prefork.hpp>

#include <cstdio>

namespace {

std::string place;

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

void tell_place() {
    std::printf("listening on %s\n", place.c_str());
    std::fflush(stdout);
}

int supervise(const examples::server_options& options, int workers, leat::duration grace) {
    try {
        auto listener = options.listen();
        place = listener.local_endpoint().to_string();
        leat::prefork(static_cast<unsigned>(workers),
                      [listener = std::move(listener)](unsigned) mutable {
                          return leat::serve(std::move(listener), echo);
                      },
                      {.run = {.backend = options.backend}, .grace = grace, .on_ready = tell_place});
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("prefork_server", "Sends back whatever arrives, from several processes.");
    examples::server_options options{.host = "0.0.0.0", .port = 8001, .backend = ""};
    int workers = 0;
    double grace = 10;
    options.add_to(command);
    command.add("--workers", workers, "how many processes; 0: one for each processor", 0, 1000);
    command.add("--grace", grace, "seconds for workers to end before they are killed", 0, 3600);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return examples::run_service(options.service, [&] {
        return supervise(options, workers, leat::saturate(std::chrono::duration<double>(grace)));
    });
}
