// SPDX-License-Identifier: MIT
// Text from a stranger as an address, as a host to look up, as the name of a simulated socket, and as an
// answer of a name server: what is accepted says the same when it is written and read again, and what is
// shown is harmless.
#include <leat/address.hpp>
#include <leat/backends/simulated/socket_name.hpp>
#include <leat/check.hpp>
#include <leat/dns/core/host_name.hpp>
#include <leat/dns/core/negative_answer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

using leat::address;
using leat::check;

namespace {

void check_address(std::string_view text) {
    const auto parsed = address::try_parse(text);
    if (!parsed) {
        return;
    }
    check(address::parse(parsed->to_string()) == *parsed, "an address survives its text");
    check(leat::detail::literal_address(text) == *parsed, "a host that is an address is known as one");
    check(leat::detail::name_to_ask(text).empty(), "and is not looked up");
}

bool may_be_asked(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void check_host(std::string_view text) {
    const std::string name = leat::detail::name_to_ask(text);
    check(std::ranges::all_of(name, may_be_asked), "a name has only what names may have");
    check(name.size() <= 254 && name.find("..") == name.npos, "and is none that a query cannot hold");
    check(leat::detail::name_to_ask(name) == name, "a name that is asked for is asked for as it is");
    const std::string shown = leat::detail::printable(text);
    check(std::ranges::all_of(shown, [](char c) { return c >= ' ' && c < 0x7f; }),
          "what is shown is harmless");
    check(shown.size() < 500, "and has an end");
}

void check_socket_name(const unsigned char* data, std::size_t size) {
    sockaddr_storage given{};
    std::memcpy(&given, data, std::min(size, sizeof given));
    for (const int family : {AF_INET, AF_INET6}) {
        given.ss_family = static_cast<sa_family_t>(family);
        const auto name = leat::socket_name::read(reinterpret_cast<const sockaddr*>(&given),
                                                  static_cast<socklen_t>(size), family);
        if (name) {
            sockaddr_storage written;
            const socklen_t length = name->write(written, family);
            const auto again =
                leat::socket_name::read(reinterpret_cast<const sockaddr*>(&written), length, family);
            check(again.ok() && *again == *name, "the name of a socket survives its sockaddr");
        }
    }
}

void check_message(const unsigned char* data, std::size_t size) {
    const auto none = leat::detail::read_negative_answer(std::as_bytes(std::span(data, size)));
    check(!none || (none->holds >= leat::duration::zero() && none->holds <= std::chrono::seconds(INT32_MAX)),
          "how long an answer holds is a time to live");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_address(text);
    check_host(text);
    check_socket_name(data, size);
    check_message(data, size);
    return 0;
}
