// SPDX-License-Identifier: MIT
// observer: is told what the engine does, as it does it: the base of all that shows a run (fetch/views) or
// writes a report of it. Calls come from the engine's scheduler, one at a time, and must not block for long.
// What a call throws ends the run.
#pragma once

#include <fetch/engine/transfer.hpp>

#include <leat/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace fetch {

// Of all that has happened until now.
struct run_totals {
    std::uint64_t begun = 0;    // transfers
    std::uint64_t fetched = 0;  // of them
    std::uint64_t kept = 0;
    std::uint64_t failed = 0;
    std::uint64_t tries = 0;
    std::uint64_t received = 0;              // bytes of bodies
    std::optional<std::uint64_t> jobs = {};  // in all, once the list has been read to its end
    // Where there is a list of checksums: files that it has none of, and, once the run is over, how many of
    // it are of no file that is there.
    std::uint64_t unlisted = 0;
    std::uint64_t unused_checksums = 0;
    leat::time_point begin;

    [[nodiscard]] std::uint64_t under_way() const noexcept { return begun - fetched - kept - failed; }
};

class observer {
public:
    observer() = default;
    observer(const observer&) = delete;
    observer& operator=(const observer&) = delete;
    virtual ~observer() = default;

    // `of` lives from began() to ended() or stopped(), at one place.
    virtual void began(const transfer& /*of*/) {}
    // The head of an answer has come whose body is taken: size and file are known.
    virtual void answered(const transfer& /*of*/) {}
    virtual void received(const transfer& /*of*/, std::size_t /*bytes*/) {}
    // It has failed (of.failure) and is tried again after `wait`.
    virtual void tries_again(const transfer& /*of*/, leat::duration /*wait*/) {}
    // Nothing is asked (run_kind::plan), so this is the last that is told of it: it would get its file, or,
    // if it is kept, the file is there. What would fail has ended.
    virtual void planned(const transfer& /*of*/) {}
    // fetched, kept or failed.
    virtual void ended(const transfer& /*of*/) {}
    // In the place of ended(): the run ends early, and what is there can be gone on with. What this throws is
    // dropped.
    virtual void stopped(const transfer& /*of*/) {}
};

}  // namespace fetch
