// SPDX-License-Identifier: MIT
//
// What the C servers have in common and what is not measured: the command line, the listening socket, the way
// out. Every server takes --port N (0 picks a free one), prints `listening on HOST:PORT`, and ends on SIGTERM
// or SIGINT.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_connections = 65536 };

static inline void fail(const char* what) {
    perror(what);
    exit(1);
}

// Leaves the process from inside the handler: race-free, and nothing to check in the measured loop.
static inline void leave(int signal_number) {
    (void)signal_number;
    _exit(0);
}

static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max < most_connections ? limit.rlim_max : most_connections;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("setrlimit");
}

// The value that follows `name`, or `fallback`.
static inline const char* option(int argc, char** argv, const char* name, const char* fallback) {
    for (int i = 1; i + 1 < argc; ++i)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

// A listening socket on 127.0.0.1, announced on standard output. `type_flags`: SOCK_NONBLOCK or 0.
static inline int listen_on(const char* port, int type_flags) {
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    raise_descriptor_limit();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0);
    if (fd < 0)
        fail("socket");
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr*)&address, length) != 0)
        fail("bind");
    if (listen(fd, 4096) != 0)
        fail("listen");
    if (getsockname(fd, (struct sockaddr*)&address, &length) != 0)
        fail("getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}
