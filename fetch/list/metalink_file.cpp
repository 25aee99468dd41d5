// SPDX-License-Identifier: MIT
#include <fetch/list/metalink_file.hpp>

#include <fetch/list/job_line.hpp>
#include <fetch/names/safe_name.hpp>

#include <leat/http/url.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace fetch {
namespace {

constexpr std::uint64_t last_priority = 999'999;  // RFC 5854 4.1.3.1: also of a URL without one
constexpr std::size_t places_max = 1'000;
constexpr std::size_t pieces_max = std::size_t{1} << 18;

std::string_view without_space(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t begin = std::min(text.find_first_not_of(space), text.size());
    return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

std::optional<std::uint64_t> decimal_of(std::string_view text) noexcept {
    text = without_space(text);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// Of a kind, in hexadecimal digits.
std::optional<std::string> digest_bytes(digest_kind kind, std::string_view text) {
    auto bytes = bytes_of(without_space(text));
    return bytes.has_value() && bytes->size() == size_of(kind) ? bytes : std::nullopt;
}

}  // namespace

metalink_file::metalink_file(std::string_view list, std::uint64_t line, std::string_view name)
    : list_(list), line_(line), name_(name) {
    if (name.empty()) {
        refuse("the file has no name");
    } else {
        job_.output = safe_path(name);
    }
}

void metalink_file::refuse(std::string_view what) {
    mistake_ = mistake_.empty() ? what : mistake_;
}

void metalink_file::take_size(std::string_view text) {
    job_.size = decimal_of(text);
    if (!job_.size.has_value()) {
        refuse("its size is no number");
    }
}

void metalink_file::take_hash(std::string_view type, std::string_view text) {
    const auto kind = digest_kind_of(type);
    if (!kind.has_value() || (job_.checksum.has_value() && job_.checksum->kind >= *kind)) {
        return;
    }
    if (auto bytes = digest_bytes(*kind, text)) {
        job_.checksum = digest{.kind = *kind, .bytes = *std::move(bytes)};
    } else {
        refuse("its hash is no " + std::string(name_of(*kind)));
    }
}

void metalink_file::take_url(std::string_view priority, std::string_view text) {
    text = without_space(text);
    const auto parsed = leat::http::url::try_parse(text);
    if (!parsed.ok()) {
        if (parsed.error() != leat::http::url_error::unsupported_scheme) {
            refuse("its URL " + leat::http::short_url(text) + ": " + parsed.error().message());
        }
        return;
    }
    if (places_.size() == places_max) {
        refuse("it has too many URLs");
        return;
    }
    const std::uint64_t wanted =
        std::min<std::uint64_t>(decimal_of(priority).value_or(last_priority), last_priority);
    const auto behind =
        std::upper_bound(places_.begin(), places_.end(), wanted,
                         [](std::uint64_t mine, const place& other) { return mine < other.priority; });
    places_.insert(behind, {wanted, std::string(text)});
}

void metalink_file::begin_pieces(std::string_view type, std::string_view length) {
    const auto kind = digest_kind_of(type);
    pieces_.reset();
    if (!kind.has_value() || (job_.pieces.has_value() && job_.pieces->kind >= *kind)) {
        return;
    }
    const std::uint64_t bytes = decimal_of(length).value_or(0);
    if (bytes == 0) {
        refuse("its pieces have no length");
        return;
    }
    pieces_ = piece_digests{.kind = *kind, .length = bytes};
}

void metalink_file::take_piece(std::string_view text) {
    if (!pieces_.has_value()) {
        return;
    }
    auto bytes = digest_bytes(pieces_->kind, text);
    if (!bytes.has_value() || pieces_->bytes.size() == pieces_max) {
        refuse(bytes.has_value() ? std::string("it has too many pieces")
                                 : "the hash of a piece is no " + std::string(name_of(pieces_->kind)));
        return;
    }
    pieces_->bytes.push_back(*std::move(bytes));
}

void metalink_file::end_pieces() {
    if (pieces_.has_value()) {
        job_.pieces = std::exchange(pieces_, std::nullopt);
    }
}

// That there are as many as the size says.
void metalink_file::check_pieces() {
    if (!job_.pieces.has_value() || !job_.size.has_value()) {
        return;
    }
    const std::uint64_t length = job_.pieces->length;
    const std::uint64_t wanted = *job_.size / length + (*job_.size % length == 0 ? 0 : 1);
    if (job_.pieces->bytes.size() != wanted) {
        refuse("it has " + std::to_string(job_.pieces->bytes.size()) +
               " hashes of pieces where its size needs " + std::to_string(wanted));
    }
}

job metalink_file::end() && {
    check_pieces();
    if (places_.empty()) {
        refuse("it has no URL of http or https");
    }
    for (place& each : places_) {
        if (job_.url.empty()) {
            job_.url = std::move(each.url);
        } else {
            job_.mirrors.push_back(std::move(each.url));
        }
    }
    if (!mistake_.empty()) {
        job_.mistake = mistake_at({.list = list_, .number = line_}, name_, mistake_);
    }
    return std::move(job_);
}

}  // namespace fetch
