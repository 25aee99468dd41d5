// SPDX-License-Identifier: MIT
#include <leat/websocket/core/deflate.hpp>

#include <leat/check.hpp>
#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/headers.hpp>
#include <leat/websocket/message.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace leat::websocket::detail {
namespace {

using http::detail::equal_ignoring_case;
using http::detail::trim;

constexpr std::string_view extension = "permessage-deflate";
// What ends each message (RFC 7692 7.2.1), and is not sent.
constexpr std::string_view tail("\0\0\xff\xff", 4);
constexpr std::size_t step_size = 16 * 1024;

// Takes the text up to `separator` off the front of `rest`. Values in quotes have none of the separators.
std::string_view next(std::string_view& rest, char separator) noexcept {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view part = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

std::string_view unquoted(std::string_view text) noexcept {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    return quoted ? text.substr(1, text.size() - 2) : text;
}

// zlib cannot compress in a window of 8 bits, which RFC 7692 has, too.
constexpr int compressing_bits_min = 9;

std::optional<int> window_bits(std::string_view text) noexcept {
    const auto bits = leat::detail::parse_number<unsigned>(text);
    return bits && *bits >= 8 && *bits <= 15 ? std::optional(static_cast<int>(*bits)) : std::nullopt;
}

struct parameter {
    enum class name : std::uint8_t { server_anew, client_anew, server_bits, client_bits } what;
    bool has_value;
    std::optional<int> bits;
};

// Nothing: it is none of RFC 7692, or has a value where it may not, or `seen` has it already.
std::optional<parameter> read_parameter(std::string_view text, unsigned& seen) noexcept {
    constexpr std::string_view names[] = {"server_no_context_takeover", "client_no_context_takeover",
                                          "server_max_window_bits", "client_max_window_bits"};
    std::string_view rest = text;
    const auto* const found = std::ranges::find(names, next(rest, '='));
    const auto which = static_cast<unsigned>(found - std::begin(names));
    const bool has_value = text.find('=') != text.npos;
    if (found == std::end(names) || (seen & 1U << which) != 0 || (which < 2 && has_value)) {
        return std::nullopt;
    }
    seen |= 1U << which;
    return parameter{.what = static_cast<parameter::name>(which),
                     .has_value = has_value,
                     .bits = window_bits(unquoted(trim(rest)))};
}

// What `as` makes of a parameter: a server of one that is offered, a client of one in the answer to its
// offer. False: it cannot keep to that.
bool take(const parameter& given, role as, deflate_terms& terms) noexcept {
    switch (given.what) {
        case parameter::name::server_anew:
            terms.server.keeps_context = false;
            return true;
        case parameter::name::client_anew:
            terms.client.keeps_context = false;
            return true;
        case parameter::name::server_bits:
            terms.server.window_bits = given.bits.value_or(0);
            if (as == role::server) {
                return terms.server.window_bits >= compressing_bits_min;
            }
            terms.server.window_bits = std::max(terms.server.window_bits, compressing_bits_min);
            return given.bits.has_value();
        case parameter::name::client_bits:
            if (as == role::server) {
                return !given.has_value || given.bits;  // what the client can do; it is not asked for less
            }
            terms.client.window_bits = given.bits.value_or(0);
            return terms.client.window_bits >= compressing_bits_min;
    }
    return false;
}

std::optional<deflate_terms> read_terms(std::string_view element, role as) noexcept {
    if (next(element, ';') != extension) {
        return std::nullopt;
    }
    deflate_terms terms;
    unsigned seen = 0;
    while (!element.empty()) {
        const auto given = read_parameter(next(element, ';'), seen);
        if (!given || !take(*given, as, terms)) {
            return std::nullopt;
        }
    }
    return terms;
}

z_stream* new_stream() {
    return new z_stream();
}

}  // namespace

std::optional<deflate_terms> accept_offer(const http::headers& offers, bool keep_context) {
    for (const http::headers::field field : offers) {
        if (!equal_ignoring_case(field.name, "Sec-WebSocket-Extensions")) {
            continue;
        }
        for (std::string_view list = field.value; !list.empty();) {
            if (auto terms = read_terms(next(list, ','), role::server)) {
                terms->server.keeps_context &= keep_context;
                terms->client.keeps_context &= keep_context;
                return terms;
            }
        }
    }
    return std::nullopt;
}

std::string offer_text(bool keep_context) {
    const deflate_side side{.keeps_context = keep_context};
    return extension_text({.server = side, .client = side}) + "; client_max_window_bits";
}

std::optional<deflate_terms> accept_answer(const http::headers& answer, bool keep_context) {
    const auto values = answer.get_all("Sec-WebSocket-Extensions");
    auto value = values.begin();
    if (value == values.end()) {
        return std::nullopt;
    }
    auto terms = read_terms(*value, role::client);  // a second one behind a comma is no parameter
    if (++value != values.end()) {
        return std::nullopt;
    }
    if (terms) {
        terms->client.keeps_context &= keep_context;
    }
    return terms;
}

std::string extension_text(const deflate_terms& terms) {
    std::string text(extension);
    text += terms.server.keeps_context ? "" : "; server_no_context_takeover";
    text += terms.client.keeps_context ? "" : "; client_no_context_takeover";
    if (terms.server.window_bits != 15) {
        text += "; server_max_window_bits=" + std::to_string(terms.server.window_bits);
    }
    return text;
}

void deflater::ending::operator()(z_stream_s* stream) const noexcept {
    deflateEnd(stream);
    delete stream;
}

// When it fails the next message begins anew: the peer has not seen this one.
std::string deflater::compress(std::string_view message) try {
    if (stream_ == nullptr) {
        stream_.reset(new_stream());
        if (deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -terms_.window_bits, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK) {
            throw std::bad_alloc();
        }
    }
    std::string out;
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    leat::check(message.size() <= UINT32_MAX, "what is compressed at once is less than 4 GiB");
    stream_->avail_in = static_cast<uInt>(message.size());
    do {
        const std::size_t before = out.size();
        out.resize(before + std::max(step_size, message.size() / 2));
        stream_->next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream_->avail_out = static_cast<uInt>(out.size() - before);
        const int outcome = deflate(stream_.get(), Z_SYNC_FLUSH);
        leat::check(outcome == Z_OK || outcome == Z_BUF_ERROR, "zlib compresses whatever it is given");
        out.erase(out.size() - stream_->avail_out);
    } while (stream_->avail_out == 0);
    leat::check(out.ends_with(tail), "a flush of zlib ends as RFC 7692 says");
    out.resize(out.size() - tail.size());
    if (!terms_.keeps_context) {
        stream_.reset();
    }
    return out;
} catch (const std::bad_alloc&) {
    stream_.reset();
    throw;
}

void inflater::ending::operator()(z_stream_s* stream) const noexcept {
    inflateEnd(stream);
    delete stream;
}

inflater::outcome inflater::decompress(std::string_view compressed, std::string& out, std::size_t most) {
    if (stream_ == nullptr) {
        stream_.reset(new_stream());
        if (inflateInit2(stream_.get(), -15) != Z_OK) {  // whatever window the peer uses
            throw std::bad_alloc();
        }
    }
    outcome result = inflate_all(compressed, out, most);
    if (result == outcome::done) {
        result = inflate_all(tail, out, most);
    }
    if (!terms_.keeps_context) {
        stream_.reset();
    }
    return result;
}

// A block that is marked as the last ends the stream of zlib; the next message begins another (RFC 7692
// 7.2.3.5 allows it).
inflater::outcome inflater::inflate_all(std::string_view compressed, std::string& out, std::size_t most) {
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream_->avail_in = static_cast<uInt>(compressed.size());
    for (;;) {
        const std::size_t before = out.size();
        out.resize(before + std::min(step_size - 1, most - before) + 1);  // one more: it is too long
        stream_->next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream_->avail_out = static_cast<uInt>(out.size() - before);
        const int result = inflate(stream_.get(), Z_SYNC_FLUSH);
        out.erase(out.size() - stream_->avail_out);
        if (out.size() > most) {
            return outcome::too_big;
        }
        if (result == Z_MEM_ERROR) {
            throw std::bad_alloc();
        }
        if (result == Z_STREAM_END) {
            inflateReset(stream_.get());
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return outcome::corrupt;
        }
        if (stream_->avail_in == 0 && stream_->avail_out != 0) {
            return outcome::done;
        }
    }
}

}  // namespace leat::websocket::detail
