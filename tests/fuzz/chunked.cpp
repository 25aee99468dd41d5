// SPDX-License-Identifier: MIT
// Bytes from a stranger as a chunked body: what comes out does not depend on how they are cut, lies within
// them, and nothing behind the body is taken. What is framed as the grammar says comes out as it went in, and
// what a strict reader takes a lenient one takes as the same.
#include <leat/check.hpp>
#include <leat/http/core/chunked_body.hpp>
#include <leat/http/core/writer.hpp>

#include <algorithm>
#include <string>

using leat::check;
using leat::http::detail::chunked_body;
using leat::http::detail::strictness;

namespace {

struct outcome {
    std::string body;
    std::error_code error;
    std::size_t taken = 0;  // of the input, unless there was an error
    bool done = false;
    bool operator==(const outcome&) const = default;
};

outcome read(std::string_view input, std::size_t step, strictness how = strictness::strict) {
    chunked_body reader(100, how);
    outcome seen;
    for (std::size_t at = 0; at < input.size() && !reader.done(); at += step) {
        const std::string_view given = input.substr(at, step);
        std::string_view rest = given;
        while (!rest.empty() && !reader.done()) {
            const auto piece = reader.next(rest);
            if (!piece) {
                return {seen.body, piece.error(), 0, false};
            }
            check(piece->empty() || (piece->data() >= given.data() &&
                                     piece->data() + piece->size() <= given.data() + given.size()),
                  "a piece is a view of the input");
            check(!piece->empty() || rest.empty() || reader.done(), "nothing more: the input is used up");
            seen.body += *piece;
        }
        seen.taken = at + given.size() - rest.size();
    }
    seen.done = reader.done();
    return seen;
}

void check_framing(std::string_view body, std::size_t size) {
    std::string framed;
    for (std::size_t at = 0; at < body.size(); at += size) {
        leat::http::detail::append_chunk(framed, body.substr(at, size));
    }
    framed += leat::http::detail::last_chunk;
    const std::size_t whole = framed.size();
    framed += "GET / HTTP/1.1\r\n";
    const outcome seen = read(framed, framed.size());
    check(seen.done && !seen.error && seen.body == body, "a body survives its framing");
    check(seen.taken == whole, "what stands behind a body is left");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const outcome whole = read(input, std::max<std::size_t>(1, size));
    check(read(input, 1) == whole, "single bytes give the same");
    check(read(input, 3) == whole, "and so do cuts at every third");
    const outcome lenient = read(input, std::max<std::size_t>(1, size), strictness::lenient);
    check(read(input, 1, strictness::lenient) == lenient, "a lenient reader does not depend on cuts");
    check(whole.error || lenient == whole, "what a strict reader takes a lenient one takes as the same");
    check_framing(input, size == 0 ? 1 : 1 + data[0] % 40);
    return 0;
}
