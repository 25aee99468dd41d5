// SPDX-License-Identifier: MIT
// Bytes from a stranger as requests and as responses: the events never depend on how the input is cut, and a
// head that was accepted is written and read back as the same head. Of responses, what is read strictly is
// read leniently as the same, and what is repaired once is clean.
#include <leat/check.hpp>
#include <leat/http/core/head_repair.hpp>
#include <leat/http/core/parser.hpp>
#include <leat/http/core/writer.hpp>

#include "../net/http/core/parser_recorder.hpp"

#include <algorithm>

using namespace leat::http;
using namespace leat::http::detail;

namespace {

template <typename Parser>
void check_cuts(std::string_view input, unsigned char seed, recorder_options options) {
    const std::string whole = record<Parser>({input}, options);
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0, size = 1 + seed % 7; at < input.size();
         at += size, size = 1 + (size * 5 + seed) % 31) {
        pieces.push_back(input.substr(at, size));
    }
    leat::check(record<Parser>(pieces, options) == whole, "the cuts of the input do not change the events");
}

template <typename Parser>
void check_rewrite(std::string_view input) {
    Parser parser;
    const auto step = parser.next(input);
    if (!step || *step != progress::head) {
        return;
    }
    std::string out;
    append_head(out, parser.message());
    Parser again;
    std::string_view written = out;
    leat::check(again.next(written).ok(), "what was read can be written and read again");
    leat::check(describe(again.message()) == describe(parser.message()), "the start line stays the same");
    leat::check(again.message().headers.wire() == parser.message().headers.wire(),
                "the fields stay the same");
}

// The part of a line of events that both policies must agree on: all but an error at its end.
std::string_view accepted_part(std::string_view events) {
    const std::size_t at = events.rfind("error: ");
    return at == events.npos ? events : events.substr(0, std::max<std::size_t>(at, 2) - 2);  // and its "; "
}

void check_policies(std::string_view input, recorder_options options) {
    const std::string lenient = record<response_parser>({input}, options);
    options.how = strictness::strict;
    const std::string strict = record<response_parser>({input}, options);
    leat::check(lenient.starts_with(accepted_part(strict)),
                "what is read strictly is read leniently as the same");
}

void check_repair(std::string_view input) {
    head_scan scan;
    if (scan.scan(input, false, strictness::lenient) != head_scan::outcome::complete) {
        return;
    }
    const auto repaired = repair_head(input.substr(0, scan.head_end));
    if (!repaired) {
        return;
    }
    const auto again = repair_head(repaired->text);
    leat::check(again.ok() && again->text == repaired->text && !again->doubtful, "a repaired head is clean");
    scan = {};
    leat::check(scan.scan(repaired->text, false, strictness::strict) != head_scan::outcome::malformed_header,
                "its lines are those of a strict reader");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    constexpr std::string_view methods[] = {"GET", "HEAD", "CONNECT", "POST"};
    recorder_options options{.method = methods[data[0] % 4]};
    if (data[0] & 0x80) {
        options.limits = {.head_bytes = 100, .fields = 4, .body_bytes = 30};
    }
    const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
    check_cuts<request_parser>(input, data[1], options);
    check_cuts<response_parser>(input, data[1], options);
    check_policies(input, options);
    check_repair(input);
    check_rewrite<request_parser>(input);
    check_rewrite<response_parser>(input);
    return 0;
}
