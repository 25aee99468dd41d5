// SPDX-License-Identifier: MIT
// wire: the network as OpenSSL sees it in a session: received bytes, and a queue of bytes to send. Used by
// session.cpp only. Nothing is copied on the way in: OpenSSL reads the bytes where they are.
#pragma once

#include <leat/tls/core/byte_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

struct bio_st;

namespace leat::tls::detail {

struct wire {
    // The most bytes of answers (to KeyUpdate, say) that a reading step may leave unsent before it waits for
    // the peer to take them, so that a peer that asks without end and never reads cannot use up memory.
    static constexpr std::size_t replies_max = 16 * 1024;

    // `keep_block`: see byte_queue.
    explicit wire(bool keep_block) noexcept : output(keep_block) {}

    std::span<const std::byte> input;  // borrowed
    byte_queue output;
    std::uint64_t consumed = 0;     // of output, since the beginning
    std::uint64_t replies_end = 0;  // where in output the last answer of a reading step ends
    std::size_t replies = 0;        // bytes of such answers, since there were none unsent
    bool reading = false;           // a reading step is going on
    bool out_of_memory = false;     // a write to the queue found none

    [[nodiscard]] bool replies_are_full() const noexcept {
        return replies >= replies_max && replies_end > consumed;
    }
    void consume_output(std::size_t count) noexcept;
};

// A new BIO over `ends`, which must outlive it. Null when there is no memory.
[[nodiscard]] bio_st* make_wire_bio(wire& ends) noexcept;

}  // namespace leat::tls::detail
