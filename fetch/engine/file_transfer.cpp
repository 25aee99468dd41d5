// SPDX-License-Identifier: MIT
// The life of a transfer: its turns, its tries and its end.
#include <fetch/engine/file_transfer.hpp>

#include <fetch/engine/job_urls.hpp>
#include <fetch/files/file_error.hpp>

#include <leat/finally.hpp>
#include <leat/sleep.hpp>

#include <algorithm>
#include <utility>

namespace fetch {
namespace detail {

std::string place_of(const leat::http::url& of) {
    std::string text = of.origin();
    return text.erase(0, text.find("//") + 2);
}

leat::task<> file_transfer::run() {
    tell_all([&] { parts_.told.began(shown_); });
    if (!read_urls()) {
        co_return;
    }
    for (;;) {
        shown_.state = transfer_state::waiting;
        shown_.host = place_of(current());
        host_share share = co_await parts_.shares.acquire(shown_.host, job_.number);
        std::optional<failure> why = co_await try_now(share);
        if (!why) {
            break;
        }
        const std::optional<leat::duration> wait = wait_after(*why);
        shown_.failure = *std::move(why);
        if (!wait) {
            co_await put_aside();
            share.release();  // what it took on the disk is there for the next one
            end(transfer_state::failed);
            co_return;
        }
        share.release();
        shown_.state = transfer_state::waiting;
        tell_all([&] { parts_.told.tries_again(shown_, *wait); });
        co_await leat::sleep(*wait);
    }
    end(shown_.state);
}

// False: the job has failed.
bool file_transfer::read_urls() {
    const std::string mistake = urls_of(job_, urls_);
    untried_ = urls_.empty() ? 0 : urls_.size() - 1;
    if (!mistake.empty()) {
        shown_.failure = failure{.kind = failure_kind::bad_input, .text = mistake};
        end(transfer_state::failed);
    }
    return mistake.empty();
}

leat::task<std::optional<failure>> file_transfer::try_now(host_share& share) {
    failure why;
    if (shown_.tries == 0) {
        shown_.times.begin = leat::now();
    }
    ++shown_.tries;
    ++tries_;
    ++parts_.totals.tries;
    const std::uint64_t before = shown_.there;
    try {
        co_await attempt(share);
        share.succeeded();
        co_return std::nullopt;
    } catch (const failed_try& failed) {
        why = failed.why;
    } catch (const file_error& failed) {
        why = {.kind = failure_kind::file, .text = shown_.shown + ": " + failed.what()};
    } catch (const std::exception& failed) {
        why = failure_of(failed);
    }
    constexpr std::uint64_t worth_it = 1 << 20;
    if (shown_.there >= before + worth_it && bytes_to_go_on_with() > 0) {
        tries_ = 0;
        waits_ =
            leat::retry_waits({.first = parts_.how.tries.first_wait, .most = parts_.how.tries.longest_wait});
    }
    if (is_trouble(why.kind)) {
        const bool bearable = why.retry_after && *why.retry_after <= parts_.how.tries.longest_asked;
        share.troubled(bearable ? why.retry_after : std::nullopt);
    }
    co_return why;
}

// Nothing: it is not tried again.
std::optional<leat::duration> file_transfer::wait_after(const failure& why) {
    const bool elsewhere =
        untried_ > 0 && why.kind != failure_kind::file && why.kind != failure_kind::bad_input;
    if (elsewhere) {
        --untried_;
    } else if (!why.may_pass() || tries_ >= parts_.how.tries.tries) {
        return std::nullopt;
    }
    at_ = (at_ + 1) % urls_.size();
    const leat::duration asked = why.retry_after.value_or(leat::duration::zero());
    const leat::duration wait = elsewhere ? leat::duration::zero() : std::max(waits_.next(), asked);
    const leat::time_point deadline = leat::after(shown_.times.begin, parts_.how.tries.total);
    const bool too_long =
        asked > parts_.how.tries.longest_asked || leat::after(leat::now(), wait) >= deadline;
    return too_long ? std::nullopt : std::optional(wait);
}

// Bytes of a mirror are told as those of the job's URL, so only digests can tell later that they are right.
bool file_transfer::may_be_left() const {
    return file_->there() > 0 && !start_over_ && !parts_.how.compressed && file_->known().has_validator() &&
           (brought_by_ == 0 || !expected_.empty() || job_.pieces);
}

// What is there of a file that is not whole stays, so that it can be gone on with.
leat::task<> file_transfer::put_aside() {
    if (!file_) {
        co_return;
    }
    try {
        if (may_be_left()) {
            (void)co_await file_->leave();
        } else {
            co_await file_->remove();
        }
    } catch (const file_error&) {
        // what has failed before, or has stopped it, says more
    }
}

leat::task<> file_transfer::stop() {
    if (is_over()) {
        co_return;
    }
    co_await put_aside();
    try {
        parts_.told.stopped(shown_);
    } catch (...) {
        // the run has ended already, and by what says more
    }
}

void file_transfer::end(transfer_state how) {
    shown_.state = how;
    shown_.times.end = leat::now();
    run_totals& totals = parts_.totals;
    totals.fetched += how == transfer_state::fetched ? 1 : 0;
    totals.kept += how == transfer_state::kept ? 1 : 0;
    totals.failed += how == transfer_state::failed ? 1 : 0;
    tell_all([&] { parts_.told.ended(shown_); });
}

}  // namespace detail

leat::task<> carry_out(shared_parts& parts, job what) {
    ++parts.totals.begun;
    detail::file_transfer made(parts, std::move(what));
    std::exception_ptr failed;
    try {
        co_await leat::finally(made.run(), [&] { return made.stop(); });
    } catch (const detail::failed_observer& observer) {
        failed = observer.why;
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace fetch
