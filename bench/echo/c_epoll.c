// SPDX-License-Identifier: MIT
//
// The floor for epoll: the least a correct single-threaded echo server can do. Per request one recv and one
// send, and a share of one epoll_wait. Edge-triggered: the kernel need not ask each socket again at the next
// wait, and a short read proves the socket empty, so the recv that would fail is never made. No timeouts, no
// limits, no tasks. All connections share one buffer, of --buffer bytes.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>

#include "listening.h"

// Bytes a slow reader has not taken yet; while there are any, its connection is not read.
struct connection {
    char* unsent;
    uint32_t length;
    uint32_t offset;
};

static struct connection connections[most_connections];  // by descriptor
static char* buffer;
static size_t buffer_size;

static void close_connection(int fd) {
    free(connections[fd].unsent);
    connections[fd] = (struct connection){0};
    close(fd);
}

static void keep_unsent(int fd, const char* bytes, size_t length) {
    char* copy = malloc(length);
    if (copy == NULL)
        fail("malloc");
    memcpy(copy, bytes, length);
    connections[fd] = (struct connection){.unsent = copy, .length = (uint32_t)length};
}

// False: the socket is still full, or it failed and was closed.
static int send_unsent(int fd) {
    struct connection* c = &connections[fd];
    ssize_t sent = send(fd, c->unsent + c->offset, c->length - c->offset, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN)
            close_connection(fd);
        return 0;
    }
    c->offset += (uint32_t)sent;
    if (c->offset < c->length)
        return 0;
    free(c->unsent);
    *c = (struct connection){0};
    return 1;
}

static void echo(int fd, uint32_t events) {
    if (connections[fd].unsent != NULL && !send_unsent(fd))
        return;
    for (;;) {
        ssize_t received = recv(fd, buffer, buffer_size, 0);
        if (received <= 0) {
            if (received == 0 || errno != EAGAIN)
                close_connection(fd);
            return;
        }
        ssize_t sent = send(fd, buffer, (size_t)received, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            close_connection(fd);
            return;
        }
        if (sent < received) {
            sent = sent < 0 ? 0 : sent;
            keep_unsent(fd, buffer + sent, (size_t)(received - sent));
            return;
        }
        // After a hang-up no further edge comes, so read on to the end of the stream.
        if ((size_t)received < buffer_size && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
            return;
    }
}

static void accept_all(int poller, int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN)
                return;
            if (errno == ECONNABORTED || errno == EINTR)
                continue;
            fail("accept4");
        }
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
            fail("epoll_ctl");
    }
}

int main(int argc, char** argv) {
    buffer_size = (size_t)atol(option(argc, argv, "--buffer", "65536"));
    buffer = malloc(buffer_size);
    if (buffer == NULL)
        fail("malloc");
    int listener = listen_on(option(argc, argv, "--port", "8001"), SOCK_NONBLOCK);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll_ctl");
    static struct epoll_event events[1024];
    for (;;) {
        int count = epoll_wait(poller, events, 1024, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; ++i) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all(poller, listener);
            else
                echo(fd, events[i].events);
        }
    }
}
