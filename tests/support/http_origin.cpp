// SPDX-License-Identifier: MIT
#include "http_origin.hpp"

#include <leat/task_group.hpp>

#include <span>
#include <system_error>

namespace support {
namespace {

bool is_chunked(std::string_view head) {
    return head.find("\r\nTransfer-Encoding: chunked\r\n") != head.npos;
}

std::size_t length_in(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    return at == head.npos ? 0 : std::stoul(std::string(head.substr(at + name.size(), 20)));
}

bool has_body(std::string_view head) {
    return is_chunked(head) || length_in(head) > 0;
}

// Where the body at the front of `received` ends; npos while it has not come whole.
std::size_t body_size(std::string_view head, std::string_view received) {
    if (!is_chunked(head)) {
        return received.size() >= length_in(head) ? length_in(head) : received.npos;
    }
    constexpr std::string_view last = "0\r\n\r\n";
    if (received.starts_with(last)) {
        return last.size();
    }
    const std::size_t at = received.find("\r\n0\r\n\r\n");
    return at == received.npos ? at : at + 2 + last.size();
}

}  // namespace

leat::task<> http_origin::during(std::function<leat::task<>()> body) {
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([this] { return accept_all(); });
        co_await body();
        group.cancel();
    });
}

void http_origin::note_end() {
    ++ended;
    some_ended.set();
}

leat::task<> http_origin::accept_all() {
    co_await leat::with_task_group([this](leat::task_group& group) -> leat::task<> {
        for (;;) {
            leat::tcp_stream peer = co_await listener_.accept();
            ++accepted;
            group.spawn([this](leat::tcp_stream stream) { return serve(std::move(stream)); },
                        std::move(peer));
        }
    });
}

leat::task<> http_origin::serve(leat::tcp_stream peer) {
    try {
        co_await answer_all(peer);
    } catch (const std::system_error&) {
        note_end();  // reset
    }
}

leat::task<> http_origin::answer_all(leat::tcp_stream& peer) {
    std::string received;
    for (;;) {
        if (!co_await receive_head(peer, received)) {
            co_return;
        }
        const std::string head = heads.back();
        if (has_body(head)) {
            if (before_body) {
                if (!co_await give(peer, before_body(head))) {
                    co_return;
                }
            }
            if (!co_await receive_body(peer, head, received)) {
                co_return;
            }
        }
        if (!co_await give(peer, answers_(head))) {
            co_return;
        }
    }
}

leat::task<bool> http_origin::receive_head(leat::tcp_stream& peer, std::string& received) {
    std::size_t end = received.find("\r\n\r\n");
    while (end == received.npos) {
        const auto chunk = co_await peer.recv_chunk();
        if (chunk.empty()) {
            note_end();
            co_return false;
        }
        received += chunk.text();
        end = received.find("\r\n\r\n");
    }
    heads.push_back(received.substr(0, end + 4));
    received.erase(0, end + 4);
    co_return true;
}

leat::task<bool> http_origin::receive_body(leat::tcp_stream& peer, const std::string& head,
                                           std::string& received) {
    std::size_t size = body_size(head, received);
    while (size == received.npos) {
        const auto chunk = co_await peer.recv_chunk();
        if (chunk.empty()) {
            note_end();
            co_return false;
        }
        received += chunk.text();
        size = body_size(head, received);
    }
    bodies.push_back(received.substr(0, size));
    received.erase(0, size);
    co_return true;
}

// Sends it. True: the connection goes on.
leat::task<bool> http_origin::give(leat::tcp_stream& peer, answer given) {
    co_await peer.send_all(given.bytes);
    if (!given.late.empty()) {
        co_await go_on.wait();
        co_await peer.send_all(given.late);
        sent_late.set();
    }
    if (given.next == then::end) {
        peer.shutdown_send();
    }
    if (given.next == then::hold || given.next == then::end) {
        char byte = 0;
        (void)co_await peer.recv(std::span(&byte, 1));
        note_end();
    }
    co_return given.next == then::keep;
}

}  // namespace support
