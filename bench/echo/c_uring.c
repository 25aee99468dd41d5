// SPDX-License-Identifier: MIT
//
// The floor for io_uring: the least a correct single-threaded echo server can do. One io_uring_enter a turn
// submits the sends, runs the kernel's deferred work and waits. Received bytes land in buffers of one ring
// that the kernel picks from; a buffer goes back when the send of it has completed. Two forms, because
// neither is best everywhere:
//
//   --recv multishot   one recv per connection stays armed (best with many connections)
//   --recv oneshot     each recv is asked for anew, polling first, since the socket is known to be empty
//   (best with few)
//
// --buffer: the size of a buffer, --buffers: how many there are, a power of two.
//
// A send is queued for the next enter when there is company, and made at once when there is none: a queued
// send completes inside the enter that should have waited, so alone it costs a second one.
//
// Sends of one connection go one at a time, since two in flight may swap. A recv that found no buffer is
// asked for again when one comes back. The calls to enter are our own: liburing 2.3's helpers leave out
// GETEVENTS when completions are already there, and then deferred work does not run.
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>
#include <sys/syscall.h>

#include "listening.h"

enum { ring_entries = 1024, completion_entries = 8192, most_buffers = 1024, none = 0xffff };
enum kind { kind_accept, kind_recv, kind_send };

struct connection {
    uint16_t first;  // received and not yet sent, in order: a list of buffers; the first is being sent
    uint16_t last;
    bool receiving;         // a recv is armed
    bool ended;             // close when the last operation has completed
    uint16_t next_starved;  // in the list of those whose recv found no buffer
};

static struct io_uring ring;
static struct io_uring_buf_ring* buffer_ring;
static char* buffers;
static unsigned buffer_size;
static unsigned buffer_count;
static uint32_t offsets[most_buffers];  // sent so far
static uint32_t lengths[most_buffers];  // received
static uint16_t next_buffer[most_buffers];
static struct connection connections[most_connections];  // by descriptor
static uint16_t starved = none;
static unsigned buffers_held;
static bool multishot;
static bool crowded;  // more than a few completions this turn
static int listener;

static char* buffer_of(uint16_t id) {
    return buffers + (size_t)id * buffer_size;
}

// Submits all that is queued, runs deferred work, and waits for `wanted` completions.
static void enter(unsigned wanted) {
    __atomic_store_n(ring.sq.ktail, ring.sq.sqe_tail, __ATOMIC_RELEASE);
    unsigned pending = ring.sq.sqe_tail - __atomic_load_n(ring.sq.khead, __ATOMIC_ACQUIRE);
    long result =
        syscall(__NR_io_uring_enter, ring.ring_fd, pending, wanted, IORING_ENTER_GETEVENTS, NULL, 0);
    if (result < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY)
        fail("io_uring_enter");
}

static struct io_uring_sqe* next_sqe(int fd, enum kind kind) {
    struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    while (sqe == NULL) {
        enter(0);
        sqe = io_uring_get_sqe(&ring);
    }
    sqe->user_data = (uint64_t)fd << 8 | kind;
    return sqe;
}

static void start_accept(void) {
    struct io_uring_sqe* sqe = next_sqe(listener, kind_accept);
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
}

static void start_recv(int fd) {
    struct io_uring_sqe* sqe = next_sqe(fd, kind_recv);
    if (multishot)
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    else
        io_uring_prep_recv(sqe, fd, NULL, buffer_size, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    connections[fd].receiving = true;
}

static void start_send(int fd) {
    uint16_t id = connections[fd].first;
    struct io_uring_sqe* sqe = next_sqe(fd, kind_send);
    io_uring_prep_send(sqe, fd, buffer_of(id) + offsets[id], lengths[id] - offsets[id],
                       MSG_NOSIGNAL | MSG_WAITALL);
}

// Gives the connection's first buffer back, and with it the chance to read to one that found none.
static void release_first(struct connection* c) {
    uint16_t id = c->first;
    c->first = next_buffer[id];
    --buffers_held;
    io_uring_buf_ring_add(buffer_ring, buffer_of(id), buffer_size, id, (int)buffer_count - 1, 0);
    io_uring_buf_ring_advance(buffer_ring, 1);
    if (starved == none)
        return;
    int fd = starved;
    starved = connections[fd].next_starved;
    start_recv(fd);
}

// True when all went out. Failures are left for the queued send to find.
static bool send_at_once(int fd) {
    uint16_t id = connections[fd].first;
    ssize_t sent = send(fd, buffer_of(id), lengths[id], MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        offsets[id] = (uint32_t)sent;
    return offsets[id] == lengths[id];
}

// True when the connection is over and its descriptor is closed.
static bool close_if_done(int fd) {
    struct connection* c = &connections[fd];
    if (!c->ended || c->receiving || c->first != none)
        return false;
    close(fd);
    return true;
}

static void received(int fd, int result, unsigned flags) {
    struct connection* c = &connections[fd];
    c->receiving = (flags & IORING_CQE_F_MORE) != 0;
    if (result > 0) {
        uint16_t id = (uint16_t)(flags >> IORING_CQE_BUFFER_SHIFT);
        ++buffers_held;
        offsets[id] = 0;
        lengths[id] = (uint32_t)result;
        next_buffer[id] = none;
        if (c->first == none) {
            c->first = id;
            c->last = id;
            if (!crowded && send_at_once(fd))
                release_first(c);
            else
                start_send(fd);
        } else {
            next_buffer[c->last] = id;
            c->last = id;
        }
    } else if (result != -ENOBUFS) {
        c->ended = true;
    }
    if (close_if_done(fd) || c->receiving || c->ended)
        return;
    if (result == -ENOBUFS && buffers_held == buffer_count) {
        c->receiving = true;  // it will be: the list keeps the descriptor from being closed
        c->next_starved = starved;
        starved = (uint16_t)fd;
    } else {
        start_recv(fd);
    }
}

static void sent(int fd, int result) {
    struct connection* c = &connections[fd];
    int wanted = (int)(lengths[c->first] - offsets[c->first]);
    bool complete = result == wanted;  // MSG_WAITALL: less only on failure
    release_first(c);
    if (!complete) {
        while (c->first != none)
            release_first(c);
        c->ended = true;
        shutdown(fd, SHUT_RDWR);  // ends the armed recv
    }
    if (c->first != none)
        start_send(fd);
    else
        close_if_done(fd);
}

static void accepted(int result, unsigned flags) {
    if (result < 0) {
        errno = -result;
        fail("accept");
    }
    connections[result] = (struct connection){.first = none, .last = none};
    start_recv(result);
    if (!(flags & IORING_CQE_F_MORE))
        start_accept();
}

static void complete(uint64_t user_data, int result, unsigned flags) {
    int fd = (int)(user_data >> 8);
    switch ((enum kind)(user_data & 0xff)) {
        case kind_accept:
            accepted(result, flags);
            break;
        case kind_recv:
            received(fd, result, flags);
            break;
        case kind_send:
            sent(fd, result);
            break;
    }
}

static void set_up(void) {
    struct io_uring_params params = {.cq_entries = completion_entries};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    int result = io_uring_queue_init_params(ring_entries, &ring, &params);
    if (result < 0) {
        errno = -result;
        fail("io_uring_setup");
    }
    buffer_ring = aligned_alloc(4096, most_buffers * sizeof(struct io_uring_buf));
    buffers = aligned_alloc(4096, (size_t)buffer_count * buffer_size);
    if (buffer_ring == NULL || buffers == NULL)
        fail("aligned_alloc");
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)buffer_ring,
                                            .ring_entries = buffer_count};
    result = io_uring_register_buf_ring(&ring, &registration, 0);
    if (result != 0) {
        errno = -result;
        fail("register buffer ring");
    }
    io_uring_buf_ring_init(buffer_ring);
    for (uint16_t id = 0; id < buffer_count; ++id)
        io_uring_buf_ring_add(buffer_ring, buffer_of(id), buffer_size, id, (int)buffer_count - 1, id);
    io_uring_buf_ring_advance(buffer_ring, (int)buffer_count);
}

int main(int argc, char** argv) {
    multishot = strcmp(option(argc, argv, "--recv", "multishot"), "multishot") == 0;
    buffer_size = (unsigned)atoi(option(argc, argv, "--buffer", "2048"));
    buffer_count = (unsigned)atoi(option(argc, argv, "--buffers", "1024"));
    if (buffer_count > most_buffers || (buffer_count & (buffer_count - 1)) != 0) {
        errno = EINVAL;
        fail("--buffers");
    }
    set_up();
    listener = listen_on(option(argc, argv, "--port", "8001"), 0);
    start_accept();
    for (;;) {
        enter(1);
        unsigned head = *ring.cq.khead;
        unsigned tail = __atomic_load_n(ring.cq.ktail, __ATOMIC_ACQUIRE);
        crowded = tail - head > 2;
        for (; head != tail; ++head) {
            struct io_uring_cqe* cqe = &ring.cq.cqes[head & ring.cq.ring_mask];
            complete(cqe->user_data, cqe->res, cqe->flags);
        }
        __atomic_store_n(ring.cq.khead, head, __ATOMIC_RELEASE);
    }
}
