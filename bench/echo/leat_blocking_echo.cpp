// SPDX-License-Identifier: MIT
//
// leat: an echo server as in a textbook, in which every call blocks, with a function for each client; the
// backend and the port as options.
#include <leat/blocking.hpp>
#include <leat/spawn.hpp>

#include "listening.h"

static void echo(int client) {
    char buffer[4096];
    ssize_t size;
    while ((size = read(client, buffer, sizeof buffer)) > 0) {
        if (write(client, buffer, static_cast<size_t>(size)) != size) {
            break;
        }
    }
    close(client);
}

static int serve(const char* port) {
    const int listener = listen_on(port, 0);
    int client;
    while ((client = accept(listener, nullptr, nullptr)) >= 0) {
        leat::spawn(leat::blocking(echo, client));
    }
    return 0;
}

int main(int argc, char** argv) {
    leat::run_options options;
    options.backend = option(argc, argv, "--backend", "");
    return leat::run_blocking_main([&] { return serve(option(argc, argv, "--port", "0")); }, options);
}
