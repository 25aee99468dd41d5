// SPDX-License-Identifier: MIT
// Bytes from a stranger as a netrc: what is wrong is told with a line of it, what is read is found by its
// host, and what is written in quotes is read back.
#include <leat/check.hpp>
#include <leat/http/netrc.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

using leat::check;
using leat::http::netrc;

namespace {

std::string quoted(std::string_view value) {
    std::string text = "\"";
    for (const char c : value) {
        text += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    return text + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const netrc read = netrc::parse(text);
        for (const char* host : {"a", "b", "example.org"}) {
            const auto* const found = read.find(host);
            check(found == nullptr || found->user.find(':') == found->user.npos, "a user has no colon");
            check(found == nullptr || read.find(host, found->user) != nullptr,
                  "it is found by its user, too");
        }
    } catch (const std::invalid_argument& error) {
        check(std::string_view(error.what()).starts_with("netrc line "), "the line is told");
    }
    const netrc again = netrc::parse("machine a password " + quoted(text));
    check(again.find("A") != nullptr && again.find("a")->password == text, "it is read as written");
    return 0;
}
