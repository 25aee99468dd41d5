// SPDX-License-Identifier: MIT
// An echo server as in a textbook, with a function for each client, in which every call blocks. Only how that
// function is started, and main, are leat's: thousands of clients then share one thread.
#include <leat/blocking.hpp>
#include <leat/spawn.hpp>

#include <cstdio>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

void serve_client(int client) {
    char buffer[4096];
    ssize_t size;
    while ((size = read(client, buffer, sizeof buffer)) > 0) {
        if (write(client, buffer, size) != size) {
            break;
        }
    }
    close(client);
}

int serve() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in place{};
    socklen_t length = sizeof place;
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&place), &length) != 0) {
        perror("old_server");
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(place.sin_port));
    fflush(stdout);
    int client;
    while ((client = accept(listener, nullptr, nullptr)) >= 0) {
        leat::spawn(leat::blocking(serve_client, client));  // pthread_create, in the textbook
    }
    return 0;
}

}  // namespace

int main() {
    return leat::run_blocking_main(serve);
}
