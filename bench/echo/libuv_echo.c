// SPDX-License-Identifier: MIT
//
// The peer: libuv (epoll). All connections share one receive buffer, and a reply is tried at once; only what
// the socket does not take becomes a queued write.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct {
    uv_write_t request;
    char bytes[];
} unsent;

static void give_buffer(uv_handle_t* peer, size_t suggested, uv_buf_t* buffer) {
    static char shared[65536];
    (void)peer;
    (void)suggested;
    *buffer = uv_buf_init(shared, sizeof shared);
}

static void on_closed(uv_handle_t* peer) {
    free(peer);
}

static void on_written(uv_write_t* request, int status) {
    (void)status;
    free(request);
}

static void on_read(uv_stream_t* peer, ssize_t received, const uv_buf_t* buffer) {
    if (received < 0) {
        uv_close((uv_handle_t*)peer, on_closed);
        return;
    }
    if (received == 0)
        return;
    uv_buf_t reply = uv_buf_init(buffer->base, (unsigned)received);
    int sent = uv_try_write(peer, &reply, 1);
    if (sent == received)
        return;
    size_t taken = sent < 0 ? 0 : (size_t)sent;
    size_t left = (size_t)received - taken;
    unsent* rest = malloc(sizeof *rest + left);
    memcpy(rest->bytes, buffer->base + taken, left);
    reply = uv_buf_init(rest->bytes, (unsigned)left);
    uv_write(&rest->request, peer, &reply, 1, on_written);
}

static void on_connection(uv_stream_t* listener, int status) {
    if (status < 0)
        return;
    uv_tcp_t* peer = malloc(sizeof *peer);
    uv_tcp_init(listener->loop, peer);
    if (uv_accept(listener, (uv_stream_t*)peer) == 0)
        uv_read_start((uv_stream_t*)peer, give_buffer, on_read);
    else
        uv_close((uv_handle_t*)peer, on_closed);
}

static void on_signal(uv_signal_t* signal, int number) {
    (void)number;
    uv_stop(signal->loop);
}

int main(int argc, char** argv) {
    int port = argc == 3 && strcmp(argv[1], "--port") == 0 ? atoi(argv[2]) : 8001;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_t* loop = uv_default_loop();
    uv_signal_t terminate, interrupt;
    uv_signal_init(loop, &terminate);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    uv_signal_init(loop, &interrupt);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    uv_tcp_t listener;
    uv_tcp_init(loop, &listener);
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_bind(&listener, (const struct sockaddr*)&address, 0);
    int failed = uv_listen((uv_stream_t*)&listener, 4096, on_connection);
    if (failed) {
        fprintf(stderr, "listen: %s\n", uv_strerror(failed));
        return 1;
    }
    int length = sizeof address;
    uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
