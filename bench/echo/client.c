// SPDX-License-Identifier: MIT
//
// The load: N connections, each with one message under way at a time, every byte of every reply checked.
//
//   client --port PORT --connections N --server-pid PID [--message-size BYTES]
//
// It connects one after another, one round trip each, and prints `connected`. Then each line `WARM_UP
// ROUND_TRIPS` on standard input runs that many round trips and prints one line of JSON about the second
// part. Between lines all connections are idle; the end of input ends it.
//
// The server's CPU time (user and kernel, all its threads) is read from the kernel's nanosecond clock of that
// process just before the first measured message and just after the last reply, so starting, connecting and
// closing are not in it.
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

#include "listening.h"

enum { stalled_ms = 10000, longest_run_seconds = 120, spread = 1 << 14, received_at_once = 256 * 1024 };

struct connection {
    int fd;
    uint32_t sent;
    uint32_t received;
    const char* message;
};

static struct connection* connections;
static long connection_count;
static size_t message_size;
static char* pattern;  // what messages are taken from
static int poller;
static uint64_t total;  // of messages, since the client began: to be sent, begun, and answered
static uint64_t begun;
static uint64_t answered;

static void give_up(const char* why) {
    fprintf(stderr, "client: %s\n", why);
    exit(1);
}

static long number(int argc, char** argv, const char* name, const char* fallback) {
    return atol(option(argc, argv, name, fallback));
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0)
        fail("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void make_pattern(void) {
    size_t words = (message_size + spread) / sizeof(uint64_t) + 1;
    uint64_t* all = malloc(words * sizeof *all);
    if (all == NULL)
        fail("client: malloc");
    uint64_t value = 1;
    for (size_t i = 0; i < words; ++i) {
        value = value * 0x5851f42d4c957f2du + 1;
        all[i] = value ^ value >> 32;
    }
    pattern = (char*)all;
}

static void send_rest(struct connection* c) {
    while (c->sent < message_size) {
        ssize_t sent = send(c->fd, c->message + c->sent, message_size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN)
                return;
            fail("client: send");
        }
        c->sent += (uint32_t)sent;
    }
}

// Each message begins at another place of the pattern, so a reply that is stale, shifted or from another
// connection is noticed.
static void begin_message(struct connection* c) {
    uint64_t place = ++begun * 0x9e3779b97f4a7c15u;
    c->message = pattern + (place >> 32) % spread;
    c->sent = 0;
    c->received = 0;
    send_rest(c);
}

// True when the whole reply is here.
static bool receive_reply(struct connection* c) {
    static char reply[received_at_once];
    while (c->received < message_size) {
        size_t wanted = message_size - c->received;
        wanted = wanted < sizeof reply ? wanted : sizeof reply;
        ssize_t received = recv(c->fd, reply, wanted, MSG_DONTWAIT);
        if (received == 0)
            give_up("the server closed a connection");
        if (received < 0) {
            if (errno == EAGAIN)
                return false;
            fail("client: recv");
        }
        if (memcmp(reply, c->message + c->received, (size_t)received) != 0)
            give_up("a reply differs");
        c->received += (uint32_t)received;
        if ((size_t)received < wanted)
            return false;
    }
    return true;
}

// Until all messages are answered: then all connections are idle.
static void wait_for_replies(void) {
    static struct epoll_event events[1024];
    while (answered < total) {
        int count = epoll_wait(poller, events, 1024, stalled_ms);
        if (count < 0 && errno != EINTR)
            fail("client: epoll_wait");
        if (count == 0)
            give_up("no reply for 10 s");
        for (int i = 0; i < count; ++i) {
            struct connection* c = &connections[events[i].data.u64];
            if (c->received == message_size)
                continue;
            send_rest(c);
            if (!receive_reply(c))
                continue;
            ++answered;
            if (begun < total)
                begin_message(c);
        }
    }
}

static void connect_all(long port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (long i = 0; i < connection_count; ++i) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            fail("client: socket");
        if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0)
            fail("client: connect");
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[i].fd = fd;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = (uint64_t)i};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
            fail("client: epoll_ctl");
        ++total;
        begin_message(&connections[i]);
        wait_for_replies();
    }
}

static void exchange(uint64_t round_trips) {
    total += round_trips;
    for (long i = 0; begun < total && i < connection_count; ++i)
        begin_message(&connections[i]);
    wait_for_replies();
}

static void check_silence(void) {
    char extra;
    for (long i = 0; i < connection_count; ++i)
        if (recv(connections[i].fd, &extra, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
            give_up("bytes nobody asked for, or an early close");
}

static void measure(uint64_t warm_up, uint64_t round_trips, clockid_t server_clock) {
    alarm(longest_run_seconds);
    exchange(warm_up);
    uint64_t server_cpu = nanoseconds(server_clock);
    uint64_t client_cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t elapsed = nanoseconds(CLOCK_MONOTONIC);
    exchange(round_trips);
    server_cpu = nanoseconds(server_clock) - server_cpu;
    client_cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - client_cpu;
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    check_silence();
    printf("{\"round_trips\": %lu, \"elapsed_ns\": %lu, \"server_cpu_ns\": %lu, \"client_cpu_ns\": %lu}\n",
           round_trips, elapsed, server_cpu, client_cpu);
    fflush(stdout);
    alarm(0);
}

int main(int argc, char** argv) {
    alarm(longest_run_seconds);
    raise_descriptor_limit();
    connection_count = number(argc, argv, "--connections", "50");
    message_size = (size_t)number(argc, argv, "--message-size", "64");
    make_pattern();
    connections = calloc((size_t)connection_count, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0)
        fail("client: setup");
    clockid_t server_clock;
    if (clock_getcpuclockid((pid_t)number(argc, argv, "--server-pid", "0"), &server_clock) != 0)
        give_up("--server-pid names no process");
    connect_all(number(argc, argv, "--port", "8001"));
    alarm(0);
    puts("connected");
    fflush(stdout);
    uint64_t warm_up;
    uint64_t round_trips;
    while (scanf("%" SCNu64 " %" SCNu64, &warm_up, &round_trips) == 2)
        measure(warm_up, round_trips, server_clock);
    return 0;
}
