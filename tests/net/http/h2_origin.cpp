// SPDX-License-Identifier: MIT
#include "h2_origin.hpp"

#include <leat/io.hpp>
#include <leat/sleep.hpp>
#include <leat/task_group.hpp>

#include <algorithm>
#include <utility>

namespace leat::testing {
namespace {

std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t size) {
    std::uint32_t made = 0;
    for (; size > 0; --size) {
        made = made << 8 | static_cast<unsigned char>(text[at++]);
    }
    return made;
}

void append_literal(std::string& out, std::string_view name, std::string_view value) {
    out += '\0';
    out.append(1, static_cast<char>(name.size())).append(name);
    out.append(1, static_cast<char>(value.size())).append(value);
}

}  // namespace

std::string h2_head(std::uint32_t stream, int status, const http::headers& fields, bool last) {
    std::string block;
    append_literal(block, ":status", std::to_string(status));
    for (const http::headers::field field : fields) {
        append_literal(block, field.name, field.value);
    }
    return h2_frame(NGHTTP2_HEADERS, last ? 5 : 4, stream, block);
}

std::string h2_data(std::uint32_t stream, std::string_view body, bool last) {
    return h2_frame(NGHTTP2_DATA, last ? 1 : 0, stream, body);
}

std::string h2_page(std::uint32_t stream, std::string_view body) {
    return h2_head(stream, 200) + h2_data(stream, body);
}

std::string h2_goaway(std::uint32_t last_stream, std::uint32_t code) {
    return h2_frame(NGHTTP2_GOAWAY, 0, 0, h2_number(last_stream) + h2_number(code));
}

std::string h2_reset(std::uint32_t stream, std::uint32_t code) {
    return h2_frame(NGHTTP2_RST_STREAM, 0, stream, h2_number(code));
}

std::string h2_setting(std::uint16_t which, std::uint32_t value) {
    return std::string{static_cast<char>(which >> 8), static_cast<char>(which)} + h2_number(value);
}

std::size_t h2_origin::count(std::uint8_t type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(seen, [type](const h2_seen& each) { return each.type == type; }));
}

task<> h2_origin::during(std::function<task<>()> body) {
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> {
            for (;;) {
                tcp_stream peer = co_await listener_.accept();
                group.spawn([this, peer = std::move(peer)]() mutable { return serve(std::move(peer)); });
            }
        });
        co_await body();
        group.cancel();
    });
}

task<> h2_origin::serve(tcp_stream peer) {
    const int connection = ++accepted;
    const auto talked = co_await as_result(talk(peer, connection));
    (void)talked;  // a client may close at any moment
}

task<> h2_origin::talk(tcp_stream& peer, int connection) {
    std::string input(h2_preface.size(), '\0');
    co_await peer.recv_exactly(input);
    co_await peer.send_all(h2_frame(NGHTTP2_SETTINGS, 0, 0, settings));
    input.clear();
    for (;;) {
        constexpr std::size_t head_size = 9;
        while (input.size() < head_size || input.size() < head_size + number_at(input, 0, 3)) {
            const auto some = co_await as_result(peer.recv_chunk());
            if (!some.ok() || some->empty()) {
                ++ended;
                some_ended.set();
                co_return;
            }
            input += some->text();
        }
        const std::size_t size = number_at(input, 0, 3);
        seen.push_back({static_cast<std::uint8_t>(input[3]), static_cast<std::uint8_t>(input[4]),
                        number_at(input, 5, 4), input.substr(head_size, size)});
        input.erase(0, head_size + size);
        const h2_seen frame = seen.back();
        saw.set();
        saw.reset();
        support::answer next;
        if (frame.type == NGHTTP2_HEADERS) {
            next = answers_(frame.stream, connection);
        } else if (to_frame) {
            next = to_frame(frame, connection);
        }
        if (!co_await give(peer, std::move(next))) {
            co_return;
        }
    }
}

task<bool> h2_origin::give(tcp_stream& peer, support::answer given) {
    co_await peer.send_all(given.bytes);
    if (!given.late.empty()) {
        co_await go_on.wait();
        co_await peer.send_all(given.late);
        sent_late.set();
    }
    if (given.next == support::then::hold) {
        co_await sleep_until(never);
    }
    co_return given.next != support::then::close;
}

}  // namespace leat::testing
