// SPDX-License-Identifier: MIT
// The code of docs/framing.md, as it stands there.
#include "conformance/connected.hpp"

#include <leat/framing.hpp>
#include <leat/serve_messages.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using conformance::connected;
using conformance::connection;
using conformance::patience;
using leat::task;

namespace {

// FRAMING: begin
leat::task<> shout(leat::tcp_stream peer) {
    leat::buffered_reader reader(peer);
    while (const auto line = co_await reader.line()) {
        std::string reply(*line);
        std::ranges::transform(reply, reply.begin(), [](unsigned char c) { return std::toupper(c); });
        co_await peer.send_all(reply, "\n");
    }
}
// FRAMING: end

// FRAMING: begin
// "SIZE NAME", and then so many bytes.
leat::task<std::string> receive_file(leat::tcp_stream peer) {
    leat::buffered_reader reader(std::move(peer));
    const auto head = co_await reader.line(200, leat::last_line::must_end);
    std::size_t size = 0;
    if (head.has_value()) {
        std::from_chars(head->data(), head->data() + head->size(), size);
    }
    const auto body = co_await reader.exactly(std::min<std::size_t>(size, 1 << 20));
    co_return std::string(body);
}
// FRAMING: end

// FRAMING: begin
// Reads the greeting of a mail server, whatever else has come with it, and leaves that to who reads next.
leat::task<std::string> greeting(leat::tcp_stream& server) {
    const auto line = co_await leat::timeout(30s, leat::recv_line(server, 512));
    if (!line.has_value() || !line->starts_with("220 ")) {
        throw std::runtime_error("this is no mail server");
    }
    co_return line->substr(4);
}
// FRAMING: end

// FRAMING: begin
leat::task<std::string> ask(leat::tcp_stream peer, std::string question) {
    leat::message_stream server(
        std::move(peer), leat::message_format::with_length(4, std::endian::big, {.limit = 10'000'000}));
    co_await server.send(question);
    const auto answer = co_await leat::timeout(5s, server.recv());
    co_return std::string(answer.value_or("the server has closed"));
}
// FRAMING: end

// FRAMING: begin
std::string reversed(std::string_view text) {
    return {text.rbegin(), text.rend()};
}

leat::task<> serve_reversed(leat::tcp_listener listener) {
    const auto format = leat::message_format::with_digits(5, {.empty = false});
    co_await leat::serve_messages(std::move(listener), format, reversed);  // "00005abcde": "00005edcba"
}
// FRAMING: end

}  // namespace

LEAT_TEST("the page of framing: lines are shouted back") {
    connection both = co_await connected();
    auto server = leat::spawn(shout(std::move(both.server)));
    co_await both.client.send_all("hello\r\nworld");
    both.client.shutdown_send();
    const std::string back = co_await leat::timeout(patience, conformance::read_to_the_end(both.client));
    CHECK(back == "HELLO\nWORLD\n");
    co_await server;
}

LEAT_TEST("the page of framing: a file is received behind its header") {
    connection both = co_await connected();
    auto file = leat::spawn(receive_file(std::move(both.server)));
    co_await both.client.send_all("5 name\n012");
    co_await both.client.send_all("345");
    const std::string body = co_await leat::timeout(patience, file);
    CHECK(body == "01234");
}

LEAT_TEST("the page of framing: a greeting is read, and what came with it is left") {
    connection both = co_await connected();
    co_await both.client.send_all("220 mail.example\r\n250 ");
    const std::string name = co_await greeting(both.server);
    CHECK(name == "mail.example");
    std::string next(4, ' ');
    co_await both.server.recv_exactly(next);
    CHECK(next == "250 ");
}

LEAT_TEST("the page of framing: a question is answered, and a server of one function serves") {
    connection both = co_await connected();
    auto answer = leat::spawn(ask(std::move(both.client), "why?"));
    const auto format = leat::message_format::with_length(4);
    leat::message_stream server(both.server, format);
    const auto question = co_await server.recv();
    CHECK(question == "why?");
    co_await server.send("because");
    const std::string text = co_await leat::timeout(patience, answer);
    CHECK(text == "because");

    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto place = listener.local_endpoint();
    auto serves = leat::spawn(serve_reversed(std::move(listener)));
    auto client = co_await leat::tcp_stream::connect(place);
    co_await client.send_all("00005abcde");
    std::string reply(10, ' ');
    co_await leat::timeout(patience, client.recv_exactly(reply));
    CHECK(reply == "00005edcba");
    serves.cancel();
    co_await serves.join();
}
