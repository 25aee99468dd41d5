// SPDX-License-Identifier: MIT
// A transfer that goes on with the half file of another program, as curl -C - and wget -c do
// (file_settings::take_over). Nothing tells whose bytes these are, so all that can be known must fit: the
// server says how long the file is, and sends its end, and has not changed it since.
#include <fetch/engine/file_transfer.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/range.hpp>

#include <string>

namespace fetch::detail {
namespace {

// Of the whole file, as the answer says it.
std::optional<std::uint64_t> whole_size(const leat::http::response_stream& reply) {
    if (reply.status() == 200) {
        return reply.size();
    }
    const auto field = reply.headers().get("Content-Range");
    const auto range = field ? leat::http::read_content_range(*field) : std::nullopt;
    return range ? range->size : std::nullopt;
}

bool begins_at(const leat::http::response_stream& reply, std::uint64_t from) {
    const auto field = reply.headers().get("Content-Range");
    const auto range = field ? leat::http::read_content_range(*field) : std::nullopt;
    return range && range->part && range->part->offset == from;
}

bool changed_after(const leat::http::response_stream& reply, const leat::file_info& half) {
    const auto field = reply.headers().get("Last-Modified");
    const auto modified = field ? leat::http::parse_http_date(*field) : std::nullopt;
    return modified && *modified > half.modified;
}

}  // namespace

// Why what is there cannot be gone on with by this answer; empty: it can.
std::string file_transfer::mistake_of_half(const leat::http::response_stream& reply) const {
    const leat::file_info& half = there_before()->about;
    const auto size = whole_size(reply);
    if (!size) {
        return "the server does not say how long the file is";
    }
    if (*size < half.size) {
        return "the server has only " + std::to_string(*size) + " bytes of " + std::to_string(half.size);
    }
    if (changed_after(reply, half)) {
        return "the server has changed it since";
    }
    if (reply.status() != 206 && *size != half.size) {
        return "the server sends no ranges";
    }
    return reply.status() == 206 && !begins_at(reply, half.size) ? "the server sends another range" : "";
}

// One request. True: another one is to be sent.
leat::task<bool> file_transfer::continue_half(host_share& share) {
    const std::uint64_t from = there_before()->about.size;
    leat::http::headers sent = fields();
    sent.set("Range", "bytes=" + std::to_string(from) + "-");
    leat::http::response_stream reply = co_await parts_.client.open(current(), options(), sent);
    share.moved();
    note_head(reply);
    if (reply.status() / 100 != 2 && reply.status() != 416) {
        refuse(reply);
    }
    if (const std::string mistake = mistake_of_half(reply); !mistake.empty()) {
        fail_with(failure_kind::file, file_->name() + " cannot be gone on with: " + mistake);
    }
    const auto size = whole_size(reply);
    check_size(size);
    if (*size == from) {
        co_await keep_there();
        co_return false;
    }
    file_origin origin = origin_of(reply.head());
    origin.size = size;
    co_await file_->take_over(std::move(origin));
    brought_by_ = at_;
    co_await take(share, reply, {.what = brings::rest, .size = size});
    if (shown_.there == from) {
        fail_with(failure_kind::protocol, "the server answered 206 without a byte");
    }
    co_return shown_.there < *size;
}

}  // namespace fetch::detail
