// SPDX-License-Identifier: MIT
// Bytes from a stranger as the fields Range, Content-Range, If-Match and If-None-Match: what is to be sent
// lies within the representation, is bounded, and a list of tags says the same when it is written again.
#include <leat/check.hpp>
#include <leat/http/conditional.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/range.hpp>

#include <cstring>
#include <string>
#include <string_view>

using leat::check;
using leat::http::condition;
using leat::http::range_answer;

namespace {

void check_ranges(std::string_view field, std::uint64_t size) {
    const auto asked = leat::http::read_range(field, size, 5);
    check((asked.answer == range_answer::parts) == !asked.parts.empty(), "parts are given with that answer");
    check(asked.parts.size() <= 5, "they are no more than asked for");
    std::string again = "bytes=";
    for (const auto& each : asked.parts) {
        check(each.size > 0 && each.offset < size && each.size <= size - each.offset, "a part lies within");
        again += std::to_string(each.offset) + "-" + std::to_string(each.offset + each.size - 1) + ",";
    }
    if (!asked.parts.empty()) {
        const auto twice = leat::http::read_range(again, size, 5);
        check(twice.answer == range_answer::parts && twice.parts == asked.parts, "parts are read as written");
    }
}

void check_content_range(std::string_view field) {
    const auto told = leat::http::read_content_range(field);
    if (!told) {
        return;
    }
    check(told->part || told->size, "it says something");
    if (!told->part) {
        const std::string again = leat::http::unsatisfied_range(*told->size);
        check(leat::http::read_content_range(again) == told, "it is read as written");
        return;
    }
    const std::uint64_t whole = told->size.value_or(UINT64_MAX);
    check(
        told->part->size > 0 && told->part->offset < whole && told->part->size <= whole - told->part->offset,
        "the part lies within the whole");
    if (told->size) {
        const std::string again = leat::http::content_range(*told->part, *told->size);
        check(leat::http::read_content_range(again) == told, "it is read as written");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::uint64_t length = 0;
    if (size < sizeof length) {
        return 0;
    }
    std::memcpy(&length, data, sizeof length);
    const std::string_view field(reinterpret_cast<const char*>(data) + sizeof length, size - sizeof length);
    check_content_range(field);
    check_content_range("bytes " + std::string(field));
    check_content_range(leat::http::content_range({length / 3, length / 2 + 1}, length));
    check_ranges(field, length);
    check_ranges(field, length % 1000);
    check_ranges("bytes=" + std::string(field), length % 1000);
    if (leat::http::detail::is_field_value(field) && !leat::http::is_entity_tag(field)) {
        leat::http::request asked;
        asked.headers = {{"If-None-Match", field}};
        const bool has = evaluate(asked, {.tag = "\"a\""}) == condition::not_modified;
        check(!has || leat::http::detail::trim(field) == "*" || field.find("\"a\"") != field.npos,
              "only a list with the tag names it");
        asked.headers = {{"If-Match", field}, {"If-Range", field}, {"Range", "bytes=0-1"}};
        (void)evaluate(asked, {.tag = "\"a\""});
        (void)leat::http::wants_range(asked, {.tag = "\"a\""});
    }
    return 0;
}
