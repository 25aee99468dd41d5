// SPDX-License-Identifier: MIT
// pieces: which bytes of a file are still to come, and which connection brings which of them. It does no I/O:
// a transfer over several connections (segments) asks it what to request, and what of a body to keep.
//
//   const auto piece = all.take(now);          // what is missing, or half of what another one has left
//   ... a request for all.left(*piece) ...
//   const std::size_t keep = all.accept(*piece, body.size());   // its end may have come nearer meanwhile
//   all.end(*piece);                           // what has not come goes back
//
// Theory of operation. A range that is missing is taken first. Without one, the piece that would take longest
// at its measured rate gives its second half away, if that is worth a request. A piece that has just begun
// counts as being as fast as the others. What goes back is given to the piece before it, if that still reads
// a body that goes on there: so a server that ignores ranges costs nothing.
// Invariant: each byte is missing, to come with one piece, or accepted, and accepted once.
#pragma once

#include <fetch/files/byte_ranges.hpp>

#include <leat/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace fetch {

// What is not divided: of a size below, or with less time to go than that.
struct piece_limits {
    std::uint64_t least_size = 1 << 20;
    leat::duration least_time = std::chrono::seconds(2);
    leat::duration measured = std::chrono::milliseconds(500);  // before, a rate says nothing
};

class pieces {
public:
    using id = std::size_t;

    // Of a file of `size` bytes, of which `there` are there.
    pieces(std::uint64_t size, const byte_ranges& there, const piece_limits& limits = {})
        : limits_(limits), missing_(there.gaps(size)) {}

    // For a body that is under way since `begun`, of which `came` bytes have come, and that brings `brought`
    // now: those from its begin on that are missing.
    id begin(byte_range brought, leat::time_point begun, std::uint64_t came);
    // Nothing: no request is worth it now.
    [[nodiscard]] std::optional<id> take(leat::time_point now);
    // Whether take() would give one.
    [[nodiscard]] bool has_some(leat::time_point now) const;
    // What is still to come with it, from where its body is; empty: it has brought all.
    [[nodiscard]] byte_range left(id of) const;
    // How many of `bytes` that have come next are its own. They count as brought.
    [[nodiscard]] std::size_t accept(id of, std::size_t bytes);
    // It brings no more.
    void end(id of);

    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.size(); }
    // All bytes were accepted.
    [[nodiscard]] bool is_whole() const noexcept { return missing_.empty() && under_way_.empty(); }

private:
    struct piece {
        byte_range left;
        std::uint64_t limit;  // where its body ends
        leat::time_point begun;
        std::uint64_t came;
    };

    id insert(const piece& one);
    // Bytes a second; nothing: it is too early to tell.
    [[nodiscard]] std::optional<double> rate_of(const piece& one, leat::time_point now) const;
    [[nodiscard]] std::optional<double> mean_rate(leat::time_point now) const;
    // The piece that would take longest; nothing: none is worth dividing.
    [[nodiscard]] std::optional<id> longest(leat::time_point now) const;

    piece_limits limits_;
    byte_ranges missing_;
    std::map<id, piece> under_way_;
    id next_ = 0;
};

}  // namespace fetch
