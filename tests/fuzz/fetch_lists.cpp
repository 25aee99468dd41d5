// SPDX-License-Identifier: MIT
// Bytes from a stranger as a list of URLs: its lines are the same however the bytes come, and a job without a
// mistake has URLs that are some, and a file below its folder; a mistake is one line of ASCII.
#include <fetch/list/job_line.hpp>
#include <fetch/list/line_splitter.hpp>
#include <fetch/names/safe_name.hpp>

#include <leat/check.hpp>
#include <leat/http/url.hpp>

#include "choices.hpp"

#include <algorithm>
#include <vector>

using leat::check;

namespace {

constexpr std::size_t longest = 100;

std::vector<std::string> lines_of(std::string_view text, std::size_t size) {
    fetch::line_splitter splitter(longest);
    std::vector<std::string> lines;
    const auto take = [&](const auto& line) {
        check(line.number == lines.size() + 1, "lines are counted");
        check(line.text.size() <= longest, "no line is longer than the limit");
        lines.push_back(std::string(line.text) + (line.too_long ? "!" : ""));
    };
    for (std::size_t at = 0; at < text.size(); at += size) {
        const std::string piece(text.substr(at, size));
        splitter.add(piece);
        while (const auto line = splitter.next()) {
            take(*line);
        }
    }
    if (const auto line = splitter.last()) {
        take(*line);
    }
    return lines;
}

void check_job(const fetch::job& made) {
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
    check(made.output.empty() || fetch::safe_path(made.output, fetch::named_by::user) == made.output,
          "its file is below the folder");
    check(!made.checksum.has_value() || made.checksum->bytes.size() == fetch::size_of(made.checksum->kind),
          "its checksum is whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const std::size_t piece = choose.size();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::vector<std::string> lines = lines_of(text, text.size() + 1);
    check(lines == lines_of(text, piece), "lines are the same however the bytes come");
    check(lines == lines_of(text, 1), "also one by one");
    std::uint64_t number = 0;
    for (const std::string& each : lines) {
        if (const auto made = fetch::read_job_line(each, {.list = "list", .number = ++number})) {
            check_job(*made);
        }
    }
    return 0;
}
