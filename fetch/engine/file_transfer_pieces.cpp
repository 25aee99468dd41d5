// SPDX-License-Identifier: MIT
// The pieces of a transfer whose digests are known: what is wrong is asked for again, alone, of another
// mirror first. A file of which most is wrong is another one.
#include <fetch/engine/file_transfer.hpp>

#include <fetch/files/file_error.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace fetch::detail {

// The bytes that come next in the file.
void file_transfer::note_pieces(std::span<const std::byte> bytes) {
    if (!job_.pieces) {
        return;
    }
    if (!piece_check_) {
        piece_check_.emplace(*job_.pieces);
    }
    piece_check_->add(shown_.there, bytes);
    if (piece_check_->is_another_file()) {
        refuse_pieces("most of its pieces are not those that are meant");
    }
}

leat::task<> file_transfer::check_pieces(host_share& share) {
    const std::uint64_t size = shown_.there;
    if (!job_.pieces) {
        co_return;
    }
    if (!piece_check_) {
        piece_check_.emplace(*job_.pieces);
    }
    if (!piece_check_->fits(size)) {
        refuse_pieces("the digests of its pieces are not for " + std::to_string(size) + " bytes");
    }
    if (!piece_check_->has_passed(size) && file_) {
        std::uint64_t at = 0;
        co_await file_->read_all([&](leat::byte_view bytes) {
            piece_check_->add(at, bytes);
            at += bytes.size();
        });
    }
    if (!piece_check_->has_passed(size) || piece_check_->is_another_file()) {
        refuse_pieces("most of its pieces are not those that are meant");
    }
    for (const std::size_t each : piece_check_->wrong()) {
        digests_.drop();  // of bytes that are replaced now
        co_await mend(share, each);
    }
}

leat::task<> file_transfer::mend(host_share& share, std::size_t piece) {
    const std::size_t most = file_ && !parts_.how.compressed ? std::max<std::size_t>(urls_.size(), 2) : 0;
    bool is_right = false;
    for (std::size_t i = 1; i <= most && !is_right; ++i) {
        is_right = co_await try_piece(share, piece, (at_ + i) % urls_.size());
    }
    if (!is_right) {
        refuse_pieces("piece " + std::to_string(piece + 1) + " of " +
                      std::to_string(job_.pieces->bytes.size()) + " is not the one that is meant");
    }
}

// Whether the piece is right now. What has gone wrong otherwise does not matter: another one is asked.
leat::task<bool> file_transfer::try_piece(host_share& share, std::size_t piece, std::size_t from) {
    const std::string host = place_of(urls_[from]);
    if (host != shown_.host) {
        share.release();
        share = co_await parts_.shares.acquire(host, job_.number);
        shown_.host = host;
    }
    bool is_right = false;
    try {
        is_right = co_await fetch_piece(share, piece, from);
    } catch (const file_error&) {
        throw;
    } catch (const std::exception&) {
        is_right = false;
    }
    co_return is_right;
}

leat::task<bool> file_transfer::fetch_piece(host_share& share, std::size_t piece, std::size_t from) {
    const byte_range part = piece_check_->part_of(piece, shown_.there);
    leat::http::headers sent = fields();
    sent.set("Range", "bytes=" + std::to_string(part.begin) + "-" + std::to_string(part.end - 1));
    leat::http::response_stream reply = co_await parts_.client.open(urls_[from], options(), sent);
    share.moved();
    // No validator is asked for: the digest says more.
    if (!is_part(reply.head(), part, shown_.there)) {
        co_return false;
    }
    rate_limit* const host_rate = parts_.rate_of(shown_.host);
    digester made(job_.pieces->kind);
    std::uint64_t at = part.begin;
    for (;;) {
        const std::string_view text = co_await reply.read();
        if (text.empty() || text.size() > part.end - at) {
            break;
        }
        share.moved();
        const auto bytes = std::as_bytes(std::span(text));
        co_await file_->write_at(at, bytes);
        made.add(bytes);
        at += bytes.size();
        shown_.received += bytes.size();
        parts_.totals.received += bytes.size();
        tell_all([&] { parts_.told.received(shown_, bytes.size()); });
        co_await pay(host_rate, bytes.size());
    }
    co_return at == part.end && piece_check_->is_right(piece, made.end());
}

// What is there does not count: it is begun again, elsewhere where there is a mirror.
void file_transfer::refuse_pieces(const std::string& why) {
    const bool again = resumed_ && !start_over_;
    start_over_ = true;
    fail_with(again ? failure_kind::interrupted : failure_kind::checksum, why);
}

}  // namespace fetch::detail
