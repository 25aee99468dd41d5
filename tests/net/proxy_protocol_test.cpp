// SPDX-License-Identifier: MIT
// Headers of the PROXY protocol: those of the specification, and those that are refused.
#include "proxy_headers.hpp"

#include <leat/proxy_protocol.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <array>
#include <string>

namespace leat {
namespace {

using detail::read_proxy_header;
using testing::binary_header;

std::string shown(const proxy_header& header) {
    const auto name = [](const std::optional<endpoint>& one) { return one ? one->to_string() : "nobody"; };
    return name(header.from) + " to " + name(header.to) + (header.server_name.empty() ? "" : " as ") +
           header.server_name;
}

// What the header at the front of `bytes` says, which must be whole with its last byte and not before, or
// "refused".
std::string read(const std::string& bytes) {
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto step = read_proxy_header(std::string_view(bytes).substr(0, size));
        if (!step.ok()) {
            return "refused";
        }
        if (step->size != 0) {
            CHECK(step->size == size);
            const auto longer = read_proxy_header(bytes.substr(0, size) + "behind it");
            REQUIRE(longer.ok());
            CHECK(longer->size == size);
            return shown(longer->header);
        }
    }
    return "more is needed";
}

std::string numbered(std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) {
        bytes += static_cast<char>(bytes.size() + 1);
    }
    return bytes;
}

}  // namespace

TEST_CASE("headers of version 1") {
    CHECK(read("PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n") == "192.0.2.1:51000 to 192.0.2.2:443");
    CHECK(read("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n") == "[2001:db8::1]:0 to [::1]:65535");
    CHECK(read("PROXY UNKNOWN\r\n") == "nobody to nobody");
    CHECK(read("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n") == "nobody to nobody");
}

TEST_CASE("what is no header of version 1 is refused") {
    for (const std::string rest :
         {"TCP4 192.0.2.1 192.0.2.2 51000\r\n", "TCP4 192.0.2.1 192.0.2.2 51000 443 1\r\n",
          "TCP4 ::1 ::1 1 1\r\n", "TCP6 192.0.2.1 192.0.2.2 1 1\r\n",
          "TCP4 192.0.2.1 192.0.2.2 51000 65536\r\n", "TCP4 192.0.2.1 192.0.2.2 +1 443\r\n",
          "TCP4  192.0.2.1 192.0.2.2 1 1\r\n", "UDP4 1.1.1.1 1.1.1.1 1 1\r\n",
          "TCP4 example.org 192.0.2.2 1 1\r\n", "TCP6 fe80::1%1 ::1 1 1\r\n", "\r\n"}) {
        CAPTURE(rest);
        CHECK(read("PROXY " + rest) == "refused");
    }
    CHECK(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n") == "nobody to nobody");  // 107 bytes
    CHECK(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n") == "refused");
    for (const std::string bytes :
         {"GET / HTTP/1.1\r\n", "PROXX", "proxy TCP4", "\r\n\r\nX", "\x16\x03\x01"}) {
        CAPTURE(bytes);
        CHECK(read(bytes) == "refused");
    }
}

TEST_CASE("headers of version 2") {
    const std::string ipv4 = numbered(12);
    const std::string ipv6 = numbered(36);
    CHECK(read(binary_header(0x21, 0x11, ipv4)) == "1.2.3.4:2314 to 5.6.7.8:2828");
    CHECK(read(binary_header(0x21, 0x21, ipv6)) ==
          "[102:304:506:708:90a:b0c:d0e:f10]:8482 to [1112:1314:1516:1718:191a:1b1c:1d1e:1f20]:8996");
    CHECK(read(binary_header(0x20, 0x11, ipv4)) == "nobody to nobody");
    CHECK(read(binary_header(0x20, 0x00, "")) == "nobody to nobody");
    CHECK(read(binary_header(0x21, 0x00, "whatever")) == "nobody to nobody");
    CHECK(read(binary_header(0x21, 0x31, std::string(216, 'u'))) == "nobody to nobody");
    const std::string extras = std::string("\x04\0\x02..", 5) + std::string("\x02\0\x0b", 3) + "example.org";
    CHECK(read(binary_header(0x21, 0x11, ipv4 + extras)) == "1.2.3.4:2314 to 5.6.7.8:2828 as example.org");
}

TEST_CASE("what is no header of version 2 is refused") {
    CHECK(read(binary_header(0x11, 0x11, numbered(12))) == "refused");  // another version
    CHECK(read(binary_header(0x22, 0x11, numbered(12))) == "refused");  // another command
    CHECK(read(binary_header(0x21, 0x41, numbered(12))) == "refused");
    CHECK(read(binary_header(0x21, 0x13, numbered(12))) == "refused");
    CHECK(read(binary_header(0x21, 0x11, numbered(11))) == "refused");
    CHECK(read(binary_header(0x21, 0x21, numbered(35))) == "refused");
    CHECK(read(binary_header(0x21, 0x31, numbered(215))) == "refused");
    CHECK(read(binary_header(0x21, 0x11, numbered(12) + "\x02")) == "refused");
    CHECK(read(binary_header(0x21, 0x11, numbered(12) + std::string("\x02\0\x02.", 4))) == "refused");
    CHECK(read(binary_header(0x21, 0x11, std::string(4081, 'x'))) == "refused");  // too long
}

LEAT_TEST("a header is received in any pieces, and what comes behind it stays in the stream") {
    const std::string header = binary_header(0x21, 0x11, numbered(12));
    for (std::size_t piece = 1; piece <= header.size() + 6; ++piece) {
        CAPTURE(piece);
        auto [near, far] = testing::memory_stream::pair();
        auto sending = spawn([&]() -> task<> {
            const std::string all = header + "behind";
            for (std::size_t at = 0; at < all.size(); at += piece) {
                co_await near.send_all(std::string_view(all).substr(at, piece));
                co_await testing::wait_until_idle();
            }
        });
        const proxy_header read = co_await recv_proxy_header(far);
        CHECK(shown(read) == "1.2.3.4:2314 to 5.6.7.8:2828");
        std::string rest(6, ' ');
        co_await far.recv_exactly(rest);
        CHECK(rest == "behind");
        co_await sending;
    }
}

LEAT_TEST("a connection that ends inside a header, and one that sends none, are told") {
    {
        auto [near, far] = testing::memory_stream::pair();
        co_await near.send_all("PROXY TCP4 ");
        near.close();
        CHECK((co_await as_result(recv_proxy_header(far))).error() == stream_errc::end_of_stream);
    }
    auto [near, far] = testing::memory_stream::pair();
    co_await near.send_all("hello");
    CHECK((co_await as_result(recv_proxy_header(far))).error() == std::errc::protocol_error);
}

}  // namespace leat
