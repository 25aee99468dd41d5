// SPDX-License-Identifier: MIT
#include "http_origin.hpp"

#include <leat/task_group.hpp>

#include <span>
#include <system_error>

namespace support {

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
        std::size_t end = received.find("\r\n\r\n");
        while (end == received.npos) {
            const auto chunk = co_await peer.recv_chunk();
            if (chunk.empty()) {
                note_end();
                co_return;
            }
            received += chunk.text();
            end = received.find("\r\n\r\n");
        }
        heads.push_back(received.substr(0, end + 4));
        received.erase(0, end + 4);
        const answer given = answers_(heads.back());
        co_await peer.send_all(given.bytes);
        if (!given.late.empty()) {
            co_await go_on.wait();
            co_await peer.send_all(given.late);
            sent_late.set();
        }
        if (given.next == then::close) {
            co_return;
        }
        if (given.next == then::end) {
            peer.shutdown_send();
        }
        if (given.next == then::hold || given.next == then::end) {
            char byte = 0;
            (void)co_await peer.recv(std::span(&byte, 1));
            note_end();
            co_return;
        }
    }
}

}  // namespace support
