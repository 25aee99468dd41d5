// SPDX-License-Identifier: MIT
#include <leat/http/core/content_decoder.hpp>

#include <leat/http/core/content_coding.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t buffer_size = 16384;

// What servers say of content that is as it is; "none" is no registered name, but a common one.
bool is_no_coding(std::string_view name) noexcept {
    return equal_ignoring_case(name, "identity") || equal_ignoring_case(name, "none");
}

// Null when `name` is no coding that can be decoded.
std::unique_ptr<content_coding> coding_named(std::string_view name) {
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) {
        return make_zlib_coding(zlib_format::gzip);
    }
    if (equal_ignoring_case(name, "deflate")) {
        return make_zlib_coding(zlib_format::deflate);
    }
    if (equal_ignoring_case(name, "br")) {
        return make_brotli_coding();
    }
    return equal_ignoring_case(name, "zstd") ? make_zstd_coding() : nullptr;
}

}  // namespace

content_decoder::content_decoder() noexcept = default;
content_decoder::content_decoder(content_decoder&&) noexcept = default;
content_decoder& content_decoder::operator=(content_decoder&&) noexcept = default;
content_decoder::~content_decoder() = default;

content_decoder::content_decoder(std::unique_ptr<content_coding> coding, std::uint64_t decoded_max)
    : coding_(std::move(coding)), decoded_max_(decoded_max) {
    if (coding_ != nullptr) {
        buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    }
}

bool names_coding(std::string_view content_encoding) noexcept {
    for (auto name = next_element(content_encoding); !name.empty(); name = next_element(content_encoding)) {
        if (!is_no_coding(name)) {
            return true;
        }
    }
    return false;
}

content_decoder content_decoder::make(std::string_view content_encoding, std::uint64_t decoded_max) {
    std::string_view only;
    for (auto name = next_element(content_encoding); !name.empty(); name = next_element(content_encoding)) {
        if (is_no_coding(name)) {
            continue;
        }
        if (!only.empty()) {
            return content_decoder(nullptr, decoded_max);
        }
        only = name;
    }
    return content_decoder(coding_named(only), decoded_max);
}

std::error_code content_decoder::count(std::size_t size) noexcept {
    if (size > decoded_max_ - decoded_) {
        error_ = error::content_too_large;
    } else {
        decoded_ += size;
    }
    return error_;
}

result<std::string_view> content_decoder::next(std::string_view& input) {
    if (error_) {
        return error_;
    }
    std::string_view piece;
    if (coding_ == nullptr) {
        piece = std::exchange(input, {});
    } else {
        const auto written = coding_->decode(input, {buffer_.get(), buffer_size});
        if (!written) {
            error_ = written.error();
            return error_;
        }
        piece = {buffer_.get(), *written};
    }
    if (const auto failure = count(piece.size())) {
        return failure;
    }
    return piece;
}

result<void> content_decoder::finish() const noexcept {
    if (error_) {
        return error_;
    }
    return coding_ == nullptr || coding_->complete() ? result<void>()
                                                     : make_error_code(error::truncated_content);
}

std::string_view accept_encoding() noexcept {
    return "gzip, deflate"
#if LEAT_HAS_BROTLI
           ", br"
#endif
#if LEAT_HAS_ZSTD
           ", zstd"
#endif
        ;
}

}  // namespace leat::http::detail
