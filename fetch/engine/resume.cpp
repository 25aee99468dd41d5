// SPDX-License-Identifier: MIT
#include <fetch/engine/resume.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/range.hpp>

#include <chrono>

namespace fetch {
namespace {

std::string text_of(const leat::http::headers& fields, std::string_view name) {
    return std::string(fields.get(name).value_or(""));
}

bool is_old_enough(const leat::http::headers& fields, std::string_view last_modified) {
    const auto modified = leat::http::parse_http_date(last_modified);
    const auto date = leat::http::parse_http_date(fields.get("Date").value_or(""));
    return modified && date && *date - *modified >= std::chrono::seconds(1);
}

answer_meaning nonsense(std::string why) {
    return {.what = brings::nonsense, .why = std::move(why)};
}

answer_meaning meaning_of_part(const leat::http::response& answer, std::uint64_t from,
                               const file_origin& known) {
    const auto field = answer.headers.get("Content-Range");
    const auto range = field ? leat::http::read_content_range(*field) : std::nullopt;
    if (!range || !range->part) {
        return nonsense("206 without a range of bytes");
    }
    if (range->part->offset != from) {
        return nonsense("206 from byte " + std::to_string(range->part->offset) + " in place of " +
                        std::to_string(from));
    }
    const bool other_size = range->size && known.size && *range->size != *known.size;
    const std::string etag = text_of(answer.headers, "ETag");
    if (other_size || (!etag.empty() && known.has_strong_tag() && etag != known.etag)) {
        return {.what = brings::doubt};
    }
    return {.what = brings::rest, .size = range->size ? range->size : known.size};
}

answer_meaning meaning_of_refusal(const leat::http::response& answer, std::uint64_t from,
                                  const file_origin& known) {
    const auto field = answer.headers.get("Content-Range");
    const auto range = field ? leat::http::read_content_range(*field) : std::nullopt;
    const bool complete = range && range->size == from && known.size.value_or(from) == from;
    return complete ? answer_meaning{.what = brings::nothing, .size = from}
                    : answer_meaning{.what = brings::doubt};
}

}  // namespace

file_origin origin_of(const leat::http::response& answer) {
    file_origin made{.etag = text_of(answer.headers, "ETag")};
    const std::string modified = text_of(answer.headers, "Last-Modified");
    if (is_old_enough(answer.headers, modified)) {
        made.last_modified = modified;
    }
    return made;
}

void ask_for_rest(leat::http::headers& fields, std::uint64_t from, const file_origin& known) {
    fields.set("Range", "bytes=" + std::to_string(from) + "-");
    fields.set("If-Range", known.has_strong_tag() ? known.etag : known.last_modified);
}

bool is_part(const leat::http::response& answer, byte_range part, std::uint64_t size) {
    const auto field = answer.headers.get("Content-Range");
    const auto range = field ? leat::http::read_content_range(*field) : std::nullopt;
    const leat::http::byte_range wanted{.offset = part.begin, .size = part.size()};
    return answer.status == 206 && range && range->part == wanted && range->size == size;
}

void ask_for_part(leat::http::headers& fields, byte_range part, const file_origin& known) {
    ask_for_rest(fields, part.begin, known);
    fields.set("Range", "bytes=" + std::to_string(part.begin) + "-" + std::to_string(part.end - 1));
}

bool brings_part(const leat::http::response& answer, std::optional<std::uint64_t> length, byte_range part,
                 const file_origin& known) {
    if (!known.size || length != part.size() || !is_part(answer, part, *known.size)) {
        return false;
    }
    const std::string etag = text_of(answer.headers, "ETag");
    const std::string modified = text_of(answer.headers, "Last-Modified");
    return known.has_strong_tag() ? etag == known.etag : modified == known.last_modified;
}

answer_meaning meaning_of(const leat::http::response& answer, std::uint64_t from, const file_origin& known) {
    if (answer.status == 206) {
        return meaning_of_part(answer, from, known);
    }
    if (answer.status == 416) {
        return meaning_of_refusal(answer, from, known);
    }
    return {};
}

}  // namespace fetch
