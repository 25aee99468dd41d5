// SPDX-License-Identifier: MIT
// A try of a transfer that only asks for the head of an answer (run_kind::heads and links).
#include <fetch/engine/file_transfer.hpp>

#include <charconv>

namespace fetch::detail {
namespace {

std::string field_of(const leat::http::response_stream& reply, std::string_view name) {
    return std::string(reply.headers().get(name).value_or(""));
}

std::optional<std::uint64_t> told_size(const leat::http::response_stream& reply) {
    const std::string_view text = reply.headers().get("Content-Length").value_or("");
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    const bool sound = error == std::errc() && end == text.data() + text.size();
    return sound ? std::optional(size) : std::nullopt;
}

bool refuses_method(int status) noexcept {
    return status == 405 || status == 501;
}

}  // namespace

leat::task<> file_transfer::look(host_share& share) {
    const auto ask_by = [this](const char* method) {
        return parts_.client.open_request(method, current(), {}, options(), fields());
    };
    leat::http::response_stream reply = co_await ask_by("HEAD");
    share.moved();
    (void)co_await reply.read();  // its end, so that the connection can be used again
    if (parts_.how.kind == run_kind::links && refuses_method(reply.status())) {
        reply = co_await ask_by("GET");
        share.moved();
    }
    note_head(reply);
    shown_.size = told_size(reply);
    shown_.fields = answer_fields{.type = field_of(reply, "Content-Type"),
                                  .last_modified = field_of(reply, "Last-Modified"),
                                  .etag = field_of(reply, "ETag")};
    if (reply.status() / 100 != 2) {
        refuse(reply);
    }
    shown_.state = transfer_state::fetched;
}

}  // namespace fetch::detail
