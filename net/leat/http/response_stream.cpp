// SPDX-License-Identifier: MIT
#include <leat/http/response_stream.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/http/core/client_request.hpp>
#include <leat/http/core/secure_transport.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

// What is worth reading of a body that nobody wants: more costs more than a new connection.
constexpr std::uint64_t discarded_max = 64 * 1024;
constexpr duration discarding_max = std::chrono::seconds(1);

// How long a body may be as it is sent, where `limit` holds for it decoded. What cannot be compressed becomes
// a little longer by it. A limit all the same: a coded body can be endless and mean nothing.
std::uint64_t encoded_max(std::uint64_t limit) noexcept {
    constexpr std::uint64_t headers_max = 64 * 1024;
    const std::uint64_t more = limit / 1024 + headers_max;
    return limit > detail::content_decoder::no_limit - more ? detail::content_decoder::no_limit
                                                            : limit + more;
}

}  // namespace

response_stream::response_stream(detail::connection_lease lease, http::url from,
                                 const detail::client_request& asked)
    : lease_(std::move(lease)),
      head_(std::move(lease_->head())),
      url_(std::move(from)),
      length_(lease_->content_length()),
      limit_(asked.options.body_bytes),
      idle_(asked.options.idle),
      total_(asked.options.total),
      deadline_(asked.deadline),
      lowest_rate_(asked.options.lowest_rate),
      rate_time_(asked.options.rate_time),
      timings_(asked.timings),
      peer_(lease_->stream().remote_endpoint()),
      attempts_(asked.attempts) {
    if (asked.options.tell_tls) {
        if (auto told = detail::tls_info_of(lease_->stream())) {
            tls_ = std::make_unique<tls_info>(std::move(*told));
        }
    }
}

void response_stream::begin_decoding(std::string redirected, bool decode) {
    redirected_ = std::move(redirected);
    if (lease_->complete()) {  // there is no body
        end();
        return;
    }
    const std::uint64_t limit = limit_.value_or(detail::content_decoder::no_limit);
    const std::string_view coding = head_.headers.get("Content-Encoding").value_or("");
    decoder_ = detail::content_decoder::make(decode ? coding : "", limit);
    encoded_max_ = decoder_.is_identity() ? limit : encoded_max(limit);
    if (length_.value_or(0) > encoded_max_) {
        fail_too_long();
    }
    if (decoder_.is_identity() && detail::names_coding(coding)) {
        undecoded_ = coding;
    }
}

// The body has been read to its end.
void response_stream::end() noexcept {
    head_.trailers = std::move(lease_->trailers());
    ended_ = true;
    lease_.drop();
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
        text = now() >= deadline_ ? "not done within " + leat::detail::duration_text(total_)
               : is_too_slow()    ? "slower than " + std::to_string(lowest_rate_) + " bytes a second for " +
                                     leat::detail::duration_text(rate_time_)
                               : "no more of the body for " + leat::detail::duration_text(idle_);
    } catch (const std::system_error& failure) {
        code = failure.code();
        text = failure.what();
    }
    lease_.drop();
    throw request_error(code, named() + ": " + text);
}

task<std::string_view> response_stream::read_piece() {
    while (!ended_) {
        if (!lease_.has_connection()) {
            throw request_error(stream_errc::closed, "reading goes on after it has failed");
        }
        co_await checkpoint();  // what was received once may be thousands of pieces
        const auto piece = decoder_.next(encoded_);
        if (!piece) {
            if (piece.error() == error::content_too_large) {
                fail_too_long();
            }
            throw request_error(piece.error(), piece.error().message());
        }
        if (!piece->empty()) {
            co_return *piece;
        }
        co_await receive_piece();
        if (encoded_.empty()) {
            if (const auto complete = decoder_.finish(); !complete) {
                throw request_error(complete.error(), complete.error().message());
            }
            end();
        } else if (lease_->body_bytes() > encoded_max_) {
            fail_too_long();
        }
    }
    co_return std::string_view();
}

// Only the time that is spent waiting counts for the rate: a reader may be as slow as it likes.
task<> response_stream::receive_piece() {
    const time_point start = now();
    time_point deadline = std::min(after(start, idle_), deadline_);
    if (lowest_rate_ != 0) {
        check_rate();
        deadline = is_below_rate() ? std::min(deadline, after(start, rate_time_ - waited_)) : deadline;
    }
    try {
        encoded_ = co_await lease_->read(deadline);
    } catch (const timed_out&) {
        waited_ += now() - start;
        throw;
    }
    waited_ += now() - start;
    rate_bytes_ += encoded_.size();
}

// Throws timed_out when the last rate_time_ of waiting has brought too little, else begins the next.
void response_stream::check_rate() {
    if (is_too_slow()) {
        throw timed_out();
    }
    if (waited_ >= rate_time_) {
        waited_ = duration::zero();
        rate_bytes_ = 0;
    }
}

bool response_stream::is_below_rate() const noexcept {
    using seconds = std::chrono::duration<double>;
    return static_cast<double>(rate_bytes_) < static_cast<double>(lowest_rate_) * seconds(rate_time_).count();
}

bool response_stream::is_too_slow() const noexcept {
    return waited_ >= rate_time_ && is_below_rate();
}

void response_stream::fail_too_long() const {
    throw request_error(error::body_too_large,
                        "body larger than " + std::to_string(limit_.value_or(0)) + " bytes");
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
                                named() + ": body larger than " + std::to_string(limit) + " bytes");
        }
        body += piece;
    }
}

task<> response_stream::discard() {
    try {
        (void)co_await move_on_after(discarding_max, discard_rest());
    } catch (const std::system_error&) {  // it costs the connection, not the request
    }
    lease_.drop();
}

task<> response_stream::discard_rest() {
    std::uint64_t discarded = 0;
    while (discarded < discarded_max && length_.value_or(0) <= discarded_max) {
        const std::string_view piece = co_await lease_->read(deadline_);
        if (piece.empty()) {
            co_return;
        }
        discarded += piece.size();
    }
}

}  // namespace leat::http
