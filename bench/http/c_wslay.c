// SPDX-License-Identifier: MIT
//
// A WebSocket echo server as a C programmer writes it with wslay: an edge-triggered epoll loop, the handshake
// by hand. No timeouts, no limits but wslay's.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <wslay/wslay.h>

#include "../echo/listening.h"

enum { longest_head = 4096 };

struct connection {
    wslay_event_context_ptr context;  // once the handshake is done
    char* head;                       // until then
    size_t length;
};

static struct connection connections[most_connections];  // by descriptor

static ssize_t receive_some(wslay_event_context_ptr context, uint8_t* buffer, size_t size, int flags,
                            void* user) {
    (void)flags;
    ssize_t received = recv((int)(intptr_t)user, buffer, size, 0);
    if (received <= 0)
        wslay_event_set_error(context, received < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK
                                                                       : WSLAY_ERR_CALLBACK_FAILURE);
    return received > 0 ? received : -1;
}

static ssize_t send_some(wslay_event_context_ptr context, const uint8_t* bytes, size_t size, int flags,
                         void* user) {
    (void)flags;
    ssize_t sent = send((int)(intptr_t)user, bytes, size, MSG_NOSIGNAL);
    if (sent < 0)
        wslay_event_set_error(context, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return sent;
}

static void echo(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg* received,
                 void* user) {
    (void)user;
    if (!wslay_is_ctrl_frame(received->opcode)) {
        struct wslay_event_msg reply = {received->opcode, received->msg, received->msg_length};
        wslay_event_queue_msg(context, &reply);
    }
}

static void close_connection(int fd) {
    if (connections[fd].context != NULL)
        wslay_event_context_free(connections[fd].context);
    free(connections[fd].head);
    connections[fd] = (struct connection){0};
    close(fd);
}

static bool answer_handshake(int fd, char* head) {
    static const char field[] = "\r\nSec-WebSocket-Key: ";
    char* key = strcasestr(head, field);
    if (key == NULL)
        return false;
    key += sizeof field - 1;
    char text[128];
    int length = snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                          (int)strcspn(key, "\r"), key);
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1((unsigned char*)text, (size_t)length, digest);
    char accepted[64], answer[256];
    EVP_EncodeBlock((unsigned char*)accepted, digest, sizeof digest);
    length = snprintf(answer, sizeof answer,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\n\r\n",
                      accepted);
    return send(fd, answer, (size_t)length, MSG_NOSIGNAL) == length;
}

// False: the connection is to be closed. A client sends nothing behind its request before the answer.
static bool shake_hands(int fd) {
    struct connection* c = &connections[fd];
    ssize_t received = recv(fd, c->head + c->length, longest_head - c->length - 1, 0);
    if (received < 0)
        return errno == EAGAIN;
    c->length += (size_t)received;
    c->head[c->length] = '\0';
    if (received == 0 || c->length == longest_head - 1)
        return false;
    if (strstr(c->head, "\r\n\r\n") == NULL)
        return true;
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = receive_some, .send_callback = send_some, .on_msg_recv_callback = echo};
    bool made = answer_handshake(fd, c->head) &&
                wslay_event_context_server_init(&c->context, &callbacks, (void*)(intptr_t)fd) == 0;
    free(c->head);
    c->head = NULL;
    return made;
}

static bool serve(int fd) {
    wslay_event_context_ptr context = connections[fd].context;
    if (context == NULL)
        return shake_hands(fd);
    return wslay_event_recv(context) == 0 && wslay_event_send(context) == 0 &&
           (wslay_event_want_read(context) || wslay_event_want_write(context));
}

static void accept_all(int poller, int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[fd].head = malloc(longest_head);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        if (connections[fd].head == NULL || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
            close_connection(fd);
    }
}

int main(int argc, char** argv) {
    int listener = listen_on(option(argc, argv, "--port", "8080"), SOCK_NONBLOCK);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll");
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            if (events[i].data.fd == listener)
                accept_all(poller, listener);
            else if (!serve(events[i].data.fd))
                close_connection(events[i].data.fd);
        }
    }
}
