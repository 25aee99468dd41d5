// SPDX-License-Identifier: MIT
#include <leat/http/core/parser.hpp>

#include <leat/check.hpp>
#include <leat/http/core/head_reader.hpp>
#include <leat/http/core/head_repair.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/trailer_names.hpp>

#include <algorithm>

// Theory of operation. The end of the head is found first, line by line with memchr, so a head that lies
// whole in the caller's bytes (nearly all do) is read in place and one that came in pieces is put together
// once. Only then does the engine of head_reader.cpp read its fields, in one go: no state of it outlives the
// call. Bodies are counted or unchunked here: http-parser as Debian 12 has it lets pass chunks that end in
// anything and line feeds in chunk extensions.
//
// There is one reader of heads, a strict one. A lenient parser has it try first; a head that it refuses is
// repaired (head_repair.hpp) and read again.

namespace leat::http::detail {
namespace {

constexpr std::uint8_t interims_max = 20;
constexpr std::size_t kept_partial_max = 4096;

// The first bytes show whether a peer speaks HTTP at all; one that speaks, say, TLS may never send a line.
template <typename Message>
bool may_begin(std::string_view text) noexcept {
    if constexpr (std::same_as<Message, request>) {
        return text.empty() || is_token_character(text.front()) || text == "\r";
    } else {
        return std::string_view("HTTP/").starts_with(text.substr(0, 5));
    }
}

}  // namespace

template <typename Message>
void message_parser<Message>::start()
    requires std::same_as<Message, request>
{
    begin();
}

template <typename Message>
void message_parser<Message>::start(std::string_view method)
    requires std::same_as<Message, response>
{
    begin();
    asked_head_ = method == "HEAD";
    asked_connect_ = method == "CONNECT";
}

template <typename Message>
void message_parser<Message>::begin() {
    check(state_ == state::complete || idle(), "a parser starts a message when the one before is complete");
    message_.clear();
    piece_ = {};
    body_bytes_ = 0;
    state_ = state::head;
    body_ = body_kind::none;
    interims_ = 0;
    keep_alive_ = upgrade_ = doubtful_ = false;
}

template <typename Message>
std::error_code message_parser<Message>::fail(std::error_code failure) noexcept {
    state_ = state::failed;
    error_ = failure;
    keep_alive_ = false;
    piece_ = {};
    return failure;
}

template <typename Message>
result<progress> message_parser<Message>::next(std::string_view& input) {
    piece_ = {};
    switch (state_) {
        case state::interim:
            message_.clear();
            state_ = state::head;
            return next_head(input);
        case state::head:
            return next_head(input);
        case state::body:
            return next_body(input);
        case state::complete:
            return progress::end;
        case state::failed:
            break;
    }
    return error_;
}

template <typename Message>
result<progress> message_parser<Message>::next_head(std::string_view& input) {
    const std::size_t before = partial_.size();
    if (before != 0) {
        partial_ += input.substr(0, limits_.head_bytes - std::min(before, limits_.head_bytes));
    }
    const std::string_view text =
        before != 0 ? std::string_view(partial_) : input.substr(0, limits_.head_bytes);
    const auto outcome = scan_.scan(text, std::same_as<Message, request>, how_);
    if (!may_begin<Message>(text.substr(scan_.head_begin))) {
        return fail(error::malformed_start_line);
    }
    if (outcome == head_scan::outcome::complete) {
        const std::string_view head = text.substr(scan_.head_begin, scan_.head_end - scan_.head_begin);
        input.remove_prefix(scan_.head_end - before);
        const auto step = take_head(head, scan_.clean);
        scan_ = {};
        drop_partial();
        return step;
    }
    if (const auto failure = scan_error(outcome, text)) {
        return fail(failure);
    }
    if (before == 0) {
        partial_ = text;
    }
    input = {};
    return progress::more;
}

template <typename Message>
std::error_code message_parser<Message>::scan_error(head_scan::outcome outcome,
                                                    std::string_view text) const noexcept {
    switch (outcome) {
        case head_scan::outcome::malformed_start_line:
            return error::malformed_start_line;
        case head_scan::outcome::malformed_header:
            return error::malformed_header;
        case head_scan::outcome::incomplete:
        case head_scan::outcome::complete:
            break;
    }
    if (text.size() < limits_.head_bytes) {
        return {};
    }
    if (std::same_as<Message, request> && scan_.in_start_line()) {
        const bool in_method = text.substr(scan_.head_begin).find(' ') == text.npos;
        return in_method ? error::malformed_start_line : error::target_too_large;
    }
    return error::head_too_large;
}

template <typename Message>
std::error_code message_parser<Message>::read(std::string_view head) {
    if (const auto failure = read_head(head, limits_.fields, message_)) {
        return failure;
    }
    const auto fields = read_framing(message_.headers, message_.version, how_);
    if (!fields) {
        return fields.error();
    }
    fields_ = *fields;
    return {};
}

template <typename Message>
[[gnu::noinline]] std::error_code message_parser<Message>::read_repaired(std::string_view head) {
    const auto repaired = repair_head(head);
    if (!repaired) {
        return repaired.error();
    }
    message_.clear();
    doubtful_ |= repaired->doubtful;
    return read(repaired->text);
}

// RFC 9112 3.2. A whole URL as the target says more than Host, which it replaces.
template <typename Message>
std::error_code message_parser<Message>::take_target() {
    if constexpr (std::same_as<Message, request>) {
        const auto target = read_target(message_.method, message_.target);
        if (!target) {
            return error::malformed_start_line;
        }
        if (!host_is_valid(message_.headers, message_.version)) {
            return error::bad_host;
        }
        if (target->kind == request_target::form::absolute &&
            message_.headers.get("Host") != target->authority) {
            message_.headers.set("Host", target->authority);
        }
    }
    return {};
}

template <typename Message>
result<progress> message_parser<Message>::take_head(std::string_view head, bool clean) {
    std::error_code failure = clean ? read(head) : make_error_code(error::malformed_header);
    if (failure && how_ == strictness::lenient) {
        failure = read_repaired(head);
    }
    if (failure || (failure = take_target())) {
        return fail(failure);
    }
    if constexpr (std::same_as<Message, response>) {
        if (message_.status < 200 && message_.status != 101) {
            if (++interims_ > interims_max) {
                return fail(error::too_many_interim_responses);
            }
            state_ = state::interim;
            return progress::interim;
        }
    }
    if ((failure = plan_body())) {
        return fail(failure);
    }
    return progress::head;
}

// RFC 9112 6.3.
template <typename Message>
message_parser<Message>::body_kind message_parser<Message>::body_of_message() const noexcept {
    if constexpr (std::same_as<Message, response>) {
        const bool never = message_.status < 200 || message_.status == 204 || message_.status == 304;
        if (never || asked_head_ || upgrade_) {
            return body_kind::none;
        }
    } else if (message_.method == "CONNECT") {
        return body_kind::none;
    }
    if (fields_.chunked) {
        return body_kind::chunked;
    }
    if (fields_.content_length) {
        return *fields_.content_length == 0 ? body_kind::none : body_kind::counted;
    }
    return std::same_as<Message, response> ? body_kind::until_close : body_kind::none;
}

template <typename Message>
std::error_code message_parser<Message>::plan_body() {
    if constexpr (std::same_as<Message, response>) {
        upgrade_ = message_.status == 101 || (asked_connect_ && message_.status < 300);
    } else {
        upgrade_ = message_.method == "CONNECT" || fields_.upgrade;
    }
    body_ = body_of_message();
    keep_alive_ = fields_.persists(message_.version) && body_ != body_kind::until_close && !doubtful_ &&
                  !(upgrade_ && std::same_as<Message, response>);
    left_ = body_ == body_kind::counted ? fields_.content_length.value_or(0) : 0;
    if (left_ > limits_.body_bytes) {
        return error::body_too_large;
    }
    if (body_ == body_kind::chunked) {
        chunks_ = chunked_body(limits_.head_bytes, how_);
    }
    state_ = body_ == body_kind::none ? state::complete : state::body;
    return {};
}

// Trailers are kept: they are the last bytes of the body.
template <typename Message>
result<std::string_view> message_parser<Message>::next_of_chunks(std::string_view& input) {
    const std::string_view given = input;
    const std::size_t before = chunks_.trailer_bytes();
    const auto piece = chunks_.next(input);
    const std::size_t more = chunks_.trailer_bytes() - before;
    if (piece && more > 0) {
        partial_ += given.substr(given.size() - input.size() - more, more);
    }
    return piece;
}

// Whole lines and the empty one. When strict, chunked_body has found them valid; when lenient, what is no
// field on one line is left out.
template <typename Message>
std::error_code message_parser<Message>::take_trailers() {
    std::string_view rest = partial_;
    for (std::size_t fields = 0; !rest.empty(); ++fields) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        if (line.empty()) {
            break;
        }
        if (fields == limits_.fields) {
            return error::too_many_headers;
        }
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trim(line.substr(std::min(colon + 1, line.size())));
        const bool folded = rest.starts_with(' ') || rest.starts_with('\t');
        if (!folded && colon < line.size() && is_token(name) && is_field_value(value) &&
            may_be_trailer(name)) {
            message_.trailers.add(name, value);
        }
    }
    drop_partial();
    return {};
}

template <typename Message>
void message_parser<Message>::drop_partial() noexcept {
    partial_.clear();
    if (partial_.capacity() > kept_partial_max) {
        std::string().swap(partial_);
    }
}

template <typename Message>
result<progress> message_parser<Message>::next_body(std::string_view& input) {
    if (body_ == body_kind::chunked) {
        const auto piece = next_of_chunks(input);
        if (!piece) {
            return fail(piece.error());
        }
        piece_ = *piece;
        if (chunks_.done() && piece_.empty()) {
            if (const auto failure = take_trailers()) {
                return fail(failure);
            }
            state_ = state::complete;
            return progress::end;
        }
    } else {
        const auto wanted = body_ == body_kind::counted ? left_ : std::numeric_limits<std::uint64_t>::max();
        piece_ = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(wanted, input.size())));
        input.remove_prefix(piece_.size());
        left_ -= body_ == body_kind::counted ? piece_.size() : 0;
    }
    if (piece_.empty()) {
        return progress::more;
    }
    const std::uint64_t allowed = limits_.body_bytes - body_bytes_;
    if (piece_.size() > allowed) {
        // What the limit still allows comes out first, so that the cuts of the input change nothing.
        const std::string_view last = piece_.substr(0, static_cast<std::size_t>(allowed));
        const std::error_code failure = fail(error::body_too_large);
        if (last.empty()) {
            return failure;
        }
        piece_ = last;
        body_bytes_ += last.size();
        return progress::body;
    }
    body_bytes_ += piece_.size();
    if (body_ == body_kind::counted && left_ == 0) {
        state_ = state::complete;
    }
    return progress::body;
}

template <typename Message>
result<progress> message_parser<Message>::finish() {
    switch (state_) {
        case state::complete:
            return progress::end;
        case state::body:
            if (body_ == body_kind::until_close) {
                state_ = state::complete;
                return progress::end;
            }
            return fail(error::truncated_body);
        case state::head:
            return fail(idle() ? error::no_message : error::truncated_head);
        case state::interim:
            return fail(error::truncated_head);
        case state::failed:
            break;
    }
    return error_;
}

template class message_parser<request>;
template class message_parser<response>;

}  // namespace leat::http::detail
