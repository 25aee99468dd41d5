// SPDX-License-Identifier: MIT
// One try of a transfer: what is asked, what the answer means, and what is done with its body.
#include <fetch/engine/file_transfer.hpp>

#include <fetch/names/wanted_name.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/retry_after.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

namespace fetch::detail {
namespace {

using namespace std::chrono_literals;

// What a server says, in one line that leaves a terminal alone.
std::string plain(std::string_view text) {
    std::string line(text.substr(0, 100));
    std::replace_if(line.begin(), line.end(), [](char each) { return each < ' ' || each > '~'; }, '?');
    return line;
}

failure_kind kind_of_status(int status) noexcept {
    if (status == 408 || status == 429 || status == 503) {
        return failure_kind::busy;
    }
    return status >= 500   ? failure_kind::server
           : status >= 400 ? failure_kind::refused
                           : failure_kind::protocol;
}

}  // namespace

leat::task<> file_transfer::attempt(host_share& share) {
    shown_.state = transfer_state::asking;
    shown_.times.asked = leat::now();
    if (parts_.how.kind != run_kind::fetch) {
        co_return co_await look(share);
    }
    if (parts_.folder && !file_ && !parts_.how.names.content_disposition) {
        co_await claim(nullptr);
    }
    if (co_await is_kept()) {
        co_return;
    }
    check_there();
    const bool is_half = parts_.how.files.take_over && there_before() != nullptr;
    bool more = !is_half || co_await continue_half(share);
    while (more) {
        more = co_await ask(share, bytes_to_go_on_with());
    }
    if (shown_.state != transfer_state::kept) {
        co_await finish(share);
    }
}

// The file is there from an earlier run, and stays (existing_file::skip).
leat::task<bool> file_transfer::is_kept() {
    if (!file_ || !file_->is_there()) {
        co_return false;
    }
    co_await check_kept();
    shown_.state = transfer_state::kept;
    co_return true;
}

void file_transfer::note_times(const leat::http::request_timings& told) {
    shown_.times.named = told.resolved;
    shown_.times.connected = told.connected;
    shown_.times.secured = told.secured;
    shown_.times.answered = told.headed;
}

// One request, and its body. True: another one is to be sent.
leat::task<bool> file_transfer::ask(host_share& share, std::uint64_t from) {
    leat::http::headers sent = fields();
    const file_origin known = file_ ? file_->known() : file_origin();
    if (from > 0) {
        ask_for_rest(sent, from, known);
    }
    const bool only_if_changed = from == 0 && ask_if_changed(sent);
    leat::http::response_stream reply = co_await parts_.client.open(current(), options(), sent);
    share.moved();
    note_head(reply);
    if (only_if_changed && reply.status() == 304) {
        co_await keep_there();
        co_return false;
    }
    answer_meaning meaning = meaning_of(reply.head(), from, known);
    if (reply.status() / 100 != 2 && (from == 0 || reply.status() != 416)) {
        refuse(reply);
    }
    switch (meaning.what) {
        case brings::nonsense:
            fail_with(failure_kind::protocol, "the server answered " + meaning.why);
        case brings::doubt:
            start_over_ = true;
            co_return true;
        case brings::nothing:
            co_return false;
        case brings::whole:
            meaning.size = reply.size();
            break;
        case brings::rest:
            break;
    }
    const std::uint64_t before = shown_.there;
    co_await take(share, reply, meaning);
    if (shown_.state == transfer_state::kept) {
        co_return false;
    }
    if (meaning.size ? shown_.there >= *meaning.size : meaning.what == brings::whole) {
        co_return false;
    }
    if (shown_.there == before) {
        fail_with(failure_kind::protocol, "the server answered 206 without a byte");
    }
    co_return true;  // it has sent less than the rest, or does not say how much that is
}

void file_transfer::note_head(const leat::http::response_stream& reply) {
    const int again = reply.attempts() - 1;  // by the client, on another connection
    shown_.tries += again;
    parts_.totals.tries += static_cast<std::uint64_t>(again);
    shown_.status = reply.status();
    shown_.version = reply.head().version;
    note_times(reply.timings());
    shown_.final_url = reply.url() == current() ? "" : reply.url().to_string();
}

leat::task<> file_transfer::take(host_share& share, leat::http::response_stream& reply,
                                 const answer_meaning& meaning) {
    if (parts_.how.files.server_time) {
        const auto modified = reply.headers().get("Last-Modified");
        server_time_ = modified ? leat::http::parse_http_date(*modified) : std::nullopt;
    }
    if (parts_.folder && !file_) {
        co_await claim(&reply.head());
        if (co_await is_kept()) {
            co_return;
        }
    } else if (!parts_.folder) {
        expect_digests(parts_.checksums.is_there()
                           ? wanted_name(parts_.how.names, job_, urls_.front(), &reply.head())
                           : std::string());
    }
    if (meaning.what == brings::whole && co_await stays(reply)) {
        co_return;
    }
    check_size(meaning.size);
    start_over_ = false;
    if (meaning.what == brings::whole) {
        shown_.there = 0;
        resumed_ = false;
        brought_by_ = at_;
        begin_digests();
        if (file_) {
            file_origin origin = origin_of(reply.head());
            origin.size = meaning.size;
            co_await file_->begin(std::move(origin));
        }
    } else {
        shown_.there = file_->count();
        shown_.resumed = shown_.tries == 1 ? shown_.there : shown_.resumed;
        resumed_ = true;
        if (digests_.bytes() != shown_.there) {
            digests_.drop();
        }
        co_await file_->go_on();
    }
    shown_.size = meaning.size;
    shown_.state = transfer_state::receiving;
    tell_all([&] { parts_.told.answered(shown_); });
    co_await receive(share, reply);
}

leat::task<> file_transfer::receive(host_share& share, leat::http::response_stream& reply) {
    rate_limit* const host_rate = parts_.rate_of(shown_.host);
    const bool has_gaps = file_ && file_->count() > file_->there();
    const bool may_be_divided = may_divide(reply);
    body_progress until_now{.begun = leat::now()};
    for (;;) {
        if (has_gaps || (may_be_divided && is_worth_dividing(*shown_.size - shown_.there, until_now))) {
            co_return co_await divide(share, reply, until_now);
        }
        const std::string_view piece = co_await reply.read();
        if (piece.empty()) {
            break;
        }
        share.moved();
        const auto bytes = std::as_bytes(std::span(piece));
        digests_.add(bytes);
        note_pieces(bytes);
        if (file_) {
            co_await file_->write(bytes);
        }
        shown_.there += piece.size();
        until_now.came += piece.size();
        shown_.received += piece.size();
        parts_.totals.received += piece.size();
        tell_all([&] { parts_.told.received(shown_, bytes.size()); });
        const leat::time_point came = leat::now();
        co_await pay(host_rate, bytes.size());
        until_now.begun += leat::now() - came;  // our own limit does not make the server slow
    }
}

leat::task<> file_transfer::pay(rate_limit* host_rate, std::size_t bytes) {
    if (parts_.rate.is_limited()) {
        co_await parts_.rate.pay(bytes);
    }
    if (host_rate != nullptr) {
        co_await host_rate->pay(bytes);
    }
}

leat::task<> file_transfer::claim(const leat::http::response* answer) {
    const std::string wanted = wanted_name(parts_.how.names, job_, urls_.front(), answer);
    file_.emplace(co_await parts_.folder->claim(wanted, urls_.front().to_string()));
    shown_.file = file_->name();
    shown_.there = file_->count();
    expect_digests(file_->name());
}

// Of a body that brings another file than is wanted, nothing is taken.
void file_transfer::check_size(std::optional<std::uint64_t> size) const {
    if (size && job_.size && *size != *job_.size) {
        fail_with(failure_kind::checksum, "the server has " + std::to_string(*size) + " bytes in place of " +
                                              std::to_string(*job_.size));
    }
}

leat::task<> file_transfer::finish(host_share& share) {
    check_size(shown_.there);
    co_await check_pieces(share);
    co_await check_digests();
    if (file_) {
        co_await file_->keep(server_time_);
        shown_.file = file_->name();
    }
    shown_.state = transfer_state::fetched;
}

// How many bytes of the file are there that a request can leave out.
std::uint64_t file_transfer::bytes_to_go_on_with() const {
    const bool usable = file_ && !start_over_ && !parts_.how.compressed && file_->known().has_validator() &&
                        brought_by_ == at_;
    return usable ? file_->there() : 0;
}

leat::http::headers file_transfer::fields() const {
    leat::http::headers all = parts_.how.fields;
    for (const auto& each : job_.fields) {
        all.erase(each.name);
    }
    for (const auto& each : job_.fields) {
        all.add(each.name, each.value);
    }
    return all;
}

leat::http::request_options file_transfer::options() const {
    leat::http::request_options made = request_options_of(parts_.how);
    if (made.total != leat::duration::max()) {  // for all tries together
        const leat::duration left = leat::after(shown_.times.begin, made.total) - leat::now();
        made.total = std::max(std::chrono::ceil<std::chrono::milliseconds>(left), 1ms);  // to be told
    }
    return made;
}

void file_transfer::refuse(const leat::http::response_stream& reply) const {
    const int status = reply.status();
    throw failed_try{{.kind = kind_of_status(status),
                      .text = shown_.shown + ": the server answered " + std::to_string(status) + " " +
                              plain(reply.head().reason),
                      .status = status,
                      .retry_after = leat::http::retry_after(reply.head()),
                      .lasting = status == 501 || status == 505}};
}

void file_transfer::fail_with(failure_kind kind, const std::string& why) const {
    throw failed_try{{.kind = kind, .text = shown_.shown + ": " + why}};
}

}  // namespace fetch::detail
