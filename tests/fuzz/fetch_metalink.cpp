// SPDX-License-Identifier: MIT
// Bytes from a stranger as a Metalink document: it is refused in one line, or is jobs, the same ones however
// the bytes come. What a job without a mistake has is sound; its file is below its folder and not hidden.
#include <fetch/list/metalink.hpp>
#include <fetch/names/safe_name.hpp>

#include <leat/check.hpp>
#include <leat/http/url.hpp>

#include "choices.hpp"

#include <algorithm>
#include <stdexcept>

using leat::check;

namespace {

void check_file(const fetch::job& made) {
    check(std::all_of(made.mistake.begin(), made.mistake.end(),
                      [](char each) { return each >= ' ' && each <= '~'; }),
          "a mistake is one line of ASCII");
    if (!made.mistake.empty()) {
        return;
    }
    check(leat::http::url::try_parse(made.url).ok(), "its URL is one");
    for (const std::string& each : made.mirrors) {
        check(leat::http::url::try_parse(each).ok(), "its mirrors are URLs");
    }
    check(fetch::safe_path(made.output) == made.output, "its file is below the folder, and not hidden");
    check(!made.checksum.has_value() || made.checksum->bytes.size() == fetch::size_of(made.checksum->kind),
          "its checksum is whole");
    if (made.pieces.has_value()) {
        check(made.pieces->length > 0, "its pieces have a length");
        for (const std::string& each : made.pieces->bytes) {
            check(each.size() == fetch::size_of(made.pieces->kind), "and whole digests");
        }
    }
}

// All that is told of it, as one text.
std::string read_document(std::string_view text, std::size_t size) {
    fetch::metalink_reader reader("a.meta4");
    std::string seen;
    const auto take = [&] {
        while (const auto made = reader.next()) {
            check_file(*made);
            seen += made->url + " " + made->output + " " + made->mistake + "\n";
        }
    };
    try {
        for (std::size_t at = 0; at < text.size(); at += size) {
            reader.add(text.substr(at, size));
            take();
        }
        reader.end();
    } catch (const std::runtime_error& refused) {
        check(std::string_view(refused.what()).find('\n') == std::string_view::npos,
              "it is refused in one line");
        take();
        seen += "refused";
    }
    take();
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const std::size_t piece = choose.size();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string seen = read_document(text, text.size() + 1);
    check(seen == read_document(text, piece), "a document is the same however its bytes come");
    check(seen == read_document(text, 1), "also one by one");
    return 0;
}
