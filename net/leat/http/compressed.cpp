// SPDX-License-Identifier: MIT
#include <leat/http/compressed.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/core/accept_encoding.hpp>
#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/content_encoder.hpp>
#include <leat/http/core/parameters.hpp>
#include <leat/http/core/text.hpp>
#include <leat/sleep.hpp>
#include <leat/sync/mutex.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

// Theory of operation. What is written to a response_writer inside of compressed() comes to a body_filter. It
// decides at the first piece, when the head is known, and is not asked again. Pieces are encoded in slices,
// with a yield between, because a megabyte takes some 20 ms. Each write ends with a flush: a client can
// decode all that its handler has written. The end of the coded body is written when the handler has
// returned.

namespace leat::http {
namespace {

using detail::content_encoder;

constexpr std::size_t slice_max = 16 * 1024;
constexpr std::size_t sent_at_once = 16 * 1024;

constexpr detail::three_codings made_codings{
#if LEAT_HAS_ZSTD
    "zstd",
#endif
#if LEAT_HAS_BROTLI
    "br",
#endif
    "gzip"};

bool ends_with(std::string_view text, std::string_view end) noexcept {
    return text.size() > end.size() &&
           detail::equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

// Whether its bytes may be changed at all: it is whole, is not coded, and no field tells a sum of its bytes.
bool may_be_changed(const response& made) {
    const bool has_body = made.status >= 200 && made.status != 204 && made.status != 205 &&
                          made.status != 206 && made.status != 304 && made.upgraded == nullptr;
    const auto has = [&](std::string_view name) { return made.headers.contains(name); };
    return has_body && !made.headers.empty() && !has("Content-Encoding") && !has("Content-Range") &&
           !has("Content-Digest") && !has("Repr-Digest") && !has("Digest") && !has("Content-MD5") &&
           !made.headers.contains_token("Cache-Control", "no-transform");
}

bool is_worthwhile(const response& made, const compress_options& options, std::uint64_t size) {
    const auto type = made.headers.get("Content-Type");
    return type && size >= options.least_bytes && options.types(detail::main_value(*type));
}

void add_vary(response& made) {
    if (!made.headers.contains_token("Vary", "*") &&
        !made.headers.contains_token("Vary", "Accept-Encoding")) {
        made.headers.add("Vary", "Accept-Encoding");
    }
}

std::unique_ptr<content_encoder> encoder_for(std::string_view coding, std::uint64_t size) {
    return coding == "gzip" ? detail::make_gzip_encoder(size)
           : coding == "br" ? detail::make_brotli_encoder(size)
                            : detail::make_zstd_encoder(size);
}

// The coding for a body of that size, and Vary if there could be one. Empty: it is left as it is.
std::string_view choose_coding(const request& asked, response& made, const compress_options& options,
                               std::uint64_t size) {
    if (!may_be_changed(made) || !is_worthwhile(made, options, size)) {
        return {};
    }
    add_vary(made);
    const std::string_view wanted = detail::wanted_codings(asked.headers, made_codings)[0];
    const bool unwanted = wanted.empty() || detail::wish_for(asked.headers, wanted) <
                                                detail::wish_for(asked.headers, "identity");
    return unwanted || content_encoder::alive() >= options.at_once ? std::string_view() : wanted;
}

void weaken_tag(response& made) {
    const auto tag = made.headers.get("ETag");
    if (tag && tag->starts_with('"')) {
        made.headers.set("ETag", "W/" + std::string(*tag));
    }
}

// What needs memory comes before the field that makes the body one that is coded.
void note_coding(response& made, std::string_view coding) {
    weaken_tag(made);
    made.headers.erase("Accept-Ranges");
    made.headers.add("Content-Encoding", coding);
}

// An answer without a body, because the client has it, names what the client has (RFC 9110 15.4.5).
void complete_not_modified(const request& asked, response& made) {
    add_vary(made);
    const auto tag = made.headers.get("ETag");
    if (tag && !asked.headers.contains_token("If-None-Match", *tag) &&
        asked.headers.contains_token("If-None-Match", "W/" + std::string(*tag))) {
        weaken_tag(made);
    }
}

class compressing final : public detail::body_filter {
public:
    compressing(const request& asked, response_writer& writer, const compress_options& options) noexcept
        : body_filter(writer), asked_(asked), options_(options) {}

    task<> write(std::string_view piece) override {
        return decided_ && coding_.empty() ? pass_on(piece) : write_coded(piece);
    }
    // The handler has returned.
    task<> finish();

private:
    void decide();
    void count(std::size_t bytes);
    task<> write_coded(std::string_view piece);
    task<> encode(std::string_view piece, content_encoder::flushing how);

    const request& asked_;
    compress_options options_;
    mutex turn_;  // one task encodes: several may write, as of an event_stream
    std::string_view coding_;
    std::unique_ptr<content_encoder> encoder_;  // null also where only the head is sent
    std::optional<std::uint64_t> left_;         // of the length that the handler has set
    std::string coded_;
    std::size_t encoded_ = 0;  // since the last yield
    bool decided_ = false;
    bool broken_ = false;  // a piece was encoded, and not sent
};

// Before anything of the answer is sent.
void compressing::decide() {
    const auto length = detail::given_length(head());
    const std::uint64_t size = length.value_or(detail::unknown_size);
    const std::string_view coding = choose_coding(asked_, head(), options_, size);
    if (!coding.empty()) {
        if (asked_.method != "HEAD") {
            encoder_ = encoder_for(coding, size);
        }
        note_coding(head(), coding);
        head().headers.erase("Content-Length");
        coding_ = coding;
        left_ = length;
    }
    decided_ = true;
}

void compressing::count(std::size_t bytes) {
    if (left_ && bytes > *left_) {
        throw std::invalid_argument("more bytes are written than the Content-Length says");
    }
    if (left_) {
        *left_ -= bytes;
    }
}

task<> compressing::write_coded(std::string_view piece) {
    const auto turn = co_await turn_.lock();
    if (!decided_) {
        decide();
    }
    if (coding_.empty()) {
        co_await pass_on(piece);
        co_return;
    }
    if (encoder_ == nullptr || piece.empty()) {
        co_await pass_on({});
        co_return;
    }
    count(piece.size());
    co_await encode(piece, content_encoder::flushing::piece);
}

task<> compressing::encode(std::string_view piece, content_encoder::flushing how) {
    if (broken_) {
        throw std::system_error(stream_errc::broken, "answer to a client");
    }
    broken_ = true;
    for (bool last = false; !last;) {
        const std::string_view slice = piece.substr(0, slice_max);
        piece.remove_prefix(slice.size());
        last = piece.empty();
        encoder_->encode(slice, last ? how : content_encoder::flushing::none, coded_);
        if (!coded_.empty() && (last || coded_.size() >= sent_at_once)) {
            co_await pass_on(coded_);
            coded_.clear();
        }
        encoded_ += slice.size();
        if (encoded_ >= slice_max) {
            encoded_ = 0;
            co_await yield();
        }
    }
    broken_ = false;
}

task<> compressing::finish() {
    if (decided_) {
        if (encoder_ != nullptr) {
            if (left_.value_or(0) > 0) {
                throw std::invalid_argument("fewer bytes are written than the Content-Length says");
            }
            co_await encode({}, content_encoder::flushing::end);
        }
        co_return;
    }
    if (asked_.method == "HEAD" && head().body.empty() && detail::given_length(head())) {
        decide();
        if (!coding_.empty()) {
            co_await pass_on({});  // the head alone: nobody knows the length
        }
        co_return;
    }
    co_await compress(asked_, head(), options_);
}

}  // namespace

task<> compress(const request& asked, response& made, compress_options options) {
    if (made.status == 304) {
        complete_not_modified(asked, made);
        co_return;
    }
    const std::string_view coding = choose_coding(asked, made, options, made.body.size());
    if (coding.empty()) {
        co_return;
    }
    const auto encoder = encoder_for(coding, made.body.size());
    std::string coded;
    for (std::string_view rest = made.body; !rest.empty() && coded.size() < made.body.size();) {
        const std::string_view slice = rest.substr(0, slice_max);
        rest.remove_prefix(slice.size());
        encoder->encode(
            slice, rest.empty() ? content_encoder::flushing::end : content_encoder::flushing::none, coded);
        if (!rest.empty()) {
            co_await yield();
        }
    }
    if (coded.size() < made.body.size()) {
        note_coding(made, coding);
        made.body = std::move(coded);
    }
}

task<> detail::answer_compressed(const request& asked, response_writer& writer, task<> handling,
                                 compress_options options) {
    compressing filter(asked, writer, options);
    co_await std::move(handling);
    co_await filter.finish();
}

bool is_compressible(std::string_view media_type) noexcept {
    constexpr std::string_view text = "text/";
    constexpr std::array<std::string_view, 15> others{"application/json",
                                                      "application/javascript",
                                                      "application/x-javascript",
                                                      "application/ecmascript",
                                                      "application/xml",
                                                      "application/wasm",
                                                      "application/x-ndjson",
                                                      "application/rtf",
                                                      "application/yaml",
                                                      "application/sql",
                                                      "application/vnd.ms-fontobject",
                                                      "font/ttf",
                                                      "font/otf",
                                                      "image/bmp",
                                                      "image/x-icon"};
    const std::string_view type = detail::main_value(media_type);
    return detail::equal_ignoring_case(type.substr(0, text.size()), text) || ends_with(type, "+json") ||
           ends_with(type, "+xml") || ends_with(type, "+text") ||
           std::ranges::any_of(
               others, [&](std::string_view other) { return detail::equal_ignoring_case(type, other); });
}

}  // namespace leat::http
