// SPDX-License-Identifier: MIT
// Bytes from a stranger as a header of the PROXY protocol: a header is found at its last byte and not before,
// and what follows it changes nothing.
#include <leat/check.hpp>
#include <leat/proxy_protocol.hpp>

#include <string>
#include <string_view>

using leat::check;
using leat::detail::read_proxy_header;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read_proxy_header(bytes);
    const std::size_t end = whole.ok() ? whole->size : 0;
    check(end <= size && end <= leat::detail::proxy_header_max, "a header ends where its bytes do");
    for (std::size_t cut = 0; cut < size; ++cut) {
        const auto part = read_proxy_header(std::string_view(bytes).substr(0, cut));
        if (end != 0) {
            check(part.ok() && part->size == (cut < end ? 0 : end), "a header is whole with its last byte");
        } else if (!part.ok()) {
            check(!whole.ok(), "what is refused stays refused");
        }
    }
    if (end != 0) {
        const auto& header = whole->header;
        check(header.from.has_value() == header.to.has_value(), "both ends are told, or none");
    }
    return 0;
}
