// SPDX-License-Identifier: MIT
#include <fetch/engine/segments.hpp>

#include <fetch/engine/failure.hpp>
#include <fetch/engine/resume.hpp>
#include <fetch/engine/tell_all.hpp>
#include <fetch/files/file_error.hpp>

#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

namespace fetch {

namespace {

using namespace std::chrono_literals;

// How often it is looked for what another connection could bring.
constexpr leat::duration looks_every = 1s;

}  // namespace

bool is_worth_dividing(std::uint64_t left, const body_progress& until_now) {
    constexpr piece_limits limits;
    const auto time = std::chrono::duration<double>(leat::now() - until_now.begun).count();
    const double rate = static_cast<double>(until_now.came) / time;
    const double least = std::chrono::duration<double>(2 * limits.least_time).count();
    return left >= 2 * limits.least_size && time >= 1 && static_cast<double>(left) > rate * least;
}

namespace detail {

segments::segments(segment_source from, bool divides)
    : from_(std::move(from)),
      pieces_(*from_.file.known().size, from_.file.ranges()),
      most_(std::max<std::size_t>(from_.parts.how.limits.segments, 1) - 1),
      divides_(divides) {}

leat::task<> segments::receive(host_share& share, leat::http::response_stream& reply,
                               body_progress until_now) {
    own_ = &share;
    const std::uint64_t from = from_.file.there();
    const std::uint64_t size = *from_.file.known().size;
    const std::uint64_t comes = reply.size() ? *reply.size() - reply.bytes_read() : size;
    const pieces::id body =
        pieces_.begin({from, std::min(size, from + std::min(comes, size))}, until_now.begun, until_now.came);
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        auto recruiting = group.spawn([&] { return recruit(group); });
        co_await go_on(share, reply, body);
        recruiting.cancel();
    });
    if (!pieces_.is_whole() && failed_) {
        std::rethrow_exception(failed_);
    }
}

// The body, then what is left, until the others have ended as well.
leat::task<> segments::go_on(host_share& share, leat::http::response_stream& reply, pieces::id body) {
    bool fails = false;
    try {
        co_await read(share, reply, body);
    } catch (const file_error&) {
        throw;
    } catch (const std::exception&) {
        failed_ = std::current_exception();
        fails = true;
    }
    pieces_.end(body);
    while (!pieces_.is_whole()) {
        const auto next = !fails && divides_ ? pieces_.take(leat::now()) : std::nullopt;
        if (next) {
            fails = !co_await fetch(share, *next);
        } else if (workers_ == 0) {
            break;
        } else {
            ended_.reset();
            (void)co_await leat::move_on_after(looks_every, ended_.wait());
        }
    }
}

leat::task<> segments::recruit(leat::task_group& group) {
    for (;;) {
        while (divides_ && workers_ < most_ && pieces_.has_some(leat::now())) {
            std::optional<host_share> share = from_.parts.shares.try_acquire(from_.shown.host);
            if (!share) {
                break;
            }
            ++workers_;
            group.spawn([this, taken = *std::move(share), piece = *pieces_.take(leat::now())]() mutable {
                return work(std::move(taken), piece);
            });
        }
        co_await leat::sleep(looks_every);
    }
}

leat::task<> segments::work(host_share share, pieces::id first) {
    for (std::optional<pieces::id> piece = first; piece;) {
        const bool goes_on = co_await fetch(share, *piece);
        piece = goes_on && divides_ ? pieces_.take(leat::now()) : std::nullopt;
    }
    --workers_;
    ended_.set();
}

// Whether it has brought what it was to bring. If not, the rest has gone back.
leat::task<bool> segments::fetch(host_share& share, pieces::id piece) {
    try {
        co_await ask(share, piece);
    } catch (const file_error&) {
        throw;
    } catch (const std::exception& why) {
        failed_ = std::current_exception();
        most_ -= most_ > 0 && &share != own_ ? 1 : 0;
        if (is_trouble(failure_of(why).kind)) {
            share.troubled();
        }
    }
    const bool brought = pieces_.left(piece).size() == 0;
    pieces_.end(piece);
    co_return brought;
}

leat::task<> segments::ask(host_share& share, pieces::id piece) {
    const byte_range wanted = pieces_.left(piece);
    const file_origin& known = from_.file.known();
    leat::http::headers sent = from_.fields;
    ask_for_part(sent, wanted, known);
    leat::http::response_stream reply = co_await from_.parts.client.open(from_.url, from_.options(), sent);
    share.moved();
    if (brings_part(reply.head(), reply.size(), wanted, known)) {
        co_await read(share, reply, piece);
        co_return;
    }
    divides_ = false;
    if (reply.status() == 429 || reply.status() == 503) {
        share.troubled();
    }
}

leat::task<> segments::read(host_share& share, leat::http::response_stream& reply, pieces::id piece) {
    rate_limit* const host_rate = from_.parts.rate_of(from_.shown.host);
    while (pieces_.left(piece).size() > 0 && !gives_way(share)) {
        const std::string_view bytes = co_await reply.read();
        if (bytes.empty()) {
            co_return;
        }
        share.moved();
        own_->moved();
        co_await keep(std::as_bytes(std::span(bytes)), piece);
        co_await from_.parts.rate.pay(bytes.size());
        if (host_rate != nullptr) {
            co_await host_rate->pay(bytes.size());
        }
    }
    if (reply.size() == reply.bytes_read()) {
        (void)co_await reply.read();  // its end, so that the connection can be used again
    }
}

leat::task<> segments::keep(leat::byte_view bytes, pieces::id piece) {
    const std::uint64_t at = pieces_.left(piece).begin;
    const std::size_t own = pieces_.accept(piece, bytes.size());
    from_.shown.received += bytes.size();
    from_.parts.totals.received += bytes.size();
    if (own > 0) {
        const leat::mutex_guard guard = co_await file_in_use_.lock();
        co_await from_.file.write_at(at, std::span(bytes.data(), own));
        from_.shown.there += own;
    }
    tell_all([&] { from_.parts.told.received(from_.shown, bytes.size()); });
}

// Others are not held up by more than one connection of a file.
bool segments::gives_way(const host_share& share) const {
    return &share != own_ && from_.parts.shares.is_wanted(from_.shown.host);
}

}  // namespace detail
}  // namespace fetch
