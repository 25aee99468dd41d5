// SPDX-License-Identifier: MIT
// Bytes from a stranger as a list of checksums: each line that is one is written and read again as it was,
// and a list finds what its lines say, or says what is wrong in one line.
#include <fetch/files/checksum_list.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

using leat::check;

namespace {

std::optional<fetch::checksum_list> read_list(std::string_view text) {
    try {
        return fetch::checksum_list::read(text);
    } catch (const std::invalid_argument& refused) {
        check(std::string_view(refused.what()).starts_with("line "), "what is wrong names its line");
        return std::nullopt;
    }
}

void check_line(std::string_view line, const std::optional<fetch::checksum_list>& list) {
    const auto read = fetch::read_checksum(line);
    if (!read) {
        return;
    }
    check(read->checksum.bytes.size() == fetch::size_of(read->checksum.kind), "a checksum is whole");
    std::string again = fetch::checksum_line(read->checksum, read->name);
    check(again.ends_with('\n') && std::count(again.begin(), again.end(), '\n') == 1, "a line is one line");
    again.pop_back();
    check(fetch::read_checksum(again) == read, "a line is written as it was read");
    if (list && !line.starts_with('#')) {
        const fetch::digest* const found = list->find(read->name);
        check(found != nullptr && *found == read->checksum, "a list finds what its lines say");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto list = read_list(text);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        check_line(line, list);
    }
    return 0;
}
