// SPDX-License-Identifier: MIT
#include <leat/http/response_stream.hpp>

#include <leat/http/late.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

constexpr std::uint64_t discarded_max = 64 * 1024;

}  // namespace

response_stream::response_stream(connection_lease lease, http::url from, const get_options& options,
                                 time_point deadline)
    : lease_(std::move(lease)),
      head_(std::move(lease_->head())),
      url_(std::move(from)),
      length_(lease_->parser().content_length()),
      limit_(options.body_bytes),
      idle_(options.idle),
      total_(options.total),
      deadline_(deadline) {}

void response_stream::begin_decoding(std::string named, bool decode) {
    named_ = std::move(named);
    const auto coding = decode ? head_.headers.get("Content-Encoding") : std::nullopt;
    auto made = content_decoder::make(coding.value_or(""), limit_.value_or(content_decoder::no_limit));
    if (!made) {
        throw request_error(made.error(), made.error().message());
    }
    decoder_ = std::move(*made);
    if (lease_->parser().complete()) {
        ended_ = true;
        lease_.drop();
    }
}

std::optional<std::uint64_t> response_stream::size() const noexcept {
    return decoder_.is_identity() ? length_ : std::nullopt;
}

task<std::string_view> response_stream::read() {
    std::error_code code;
    std::string text;
    try {
        co_return co_await read_piece();
    } catch (const timed_out& late) {
        code = late.code();
        text = now() >= deadline_ ? "not done within " + length_text(total_)
                                  : "no more of the body for " + length_text(idle_);
    } catch (const std::system_error& failure) {
        code = failure.code();
        text = failure.what();
    }
    lease_.drop();
    throw request_error(code, named_ + ": " + text);
}

task<std::string_view> response_stream::read_piece() {
    while (!ended_) {
        if (!lease_.has_connection()) {
            throw request_error(stream_errc::closed, "reading goes on after it has failed");
        }
        const auto piece = decoder_.next(encoded_);
        if (!piece) {
            fail(piece.error());
        }
        if (!piece->empty()) {
            co_return *piece;
        }
        encoded_ = co_await lease_->read(std::min(after(now(), idle_), deadline_));
        if (encoded_.empty()) {
            if (const auto complete = decoder_.finish(); !complete) {
                fail(complete.error());
            }
            ended_ = true;
            lease_.drop();
        }
    }
    co_return std::string_view();
}

void response_stream::fail(std::error_code code) const {
    if (code == error::content_too_large) {
        throw request_error(code, "body larger than " + std::to_string(limit_.value_or(0)) + " bytes");
    }
    throw request_error(code, code.message());
}

task<std::string> response_stream::read_all(std::uint64_t limit) {
    std::string body;
    for (;;) {
        const std::string_view piece = co_await read();
        if (piece.empty()) {
            co_return body;
        }
        if (piece.size() > limit - body.size()) {
            lease_.drop();
            throw request_error(error::body_too_large,
                                named_ + ": body larger than " + std::to_string(limit) + " bytes");
        }
        body += piece;
    }
}

task<> response_stream::discard() {
    std::uint64_t discarded = 0;
    while (!ended_ && discarded < discarded_max) {
        const auto piece = co_await lease_->read(std::min(after(now(), idle_), deadline_));
        discarded += piece.size();
        ended_ = piece.empty();
    }
    lease_.drop();
}

}  // namespace leat::http
