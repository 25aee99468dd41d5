// SPDX-License-Identifier: MIT
// Bytes that come to a reader in pieces of a given size, and then the end; what can be done with a reader
// beside reading; and a read that is cancelled.
#pragma once

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using leat::testing::memory_stream;

// A piece in each turn, until nobody reads any more.
inline leat::task<> send_in_pieces(memory_stream to, std::string_view bytes, std::size_t piece) {
    for (bool read = true; read && !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const auto sent = co_await leat::as_result(to.send_all(bytes.substr(0, piece)));
        read = sent.ok();
        co_await leat::yield();
    }
    to.shutdown_send();
}

// What `read(stream)`, a task of std::string, gives of `bytes` that come `piece` at a time.
inline std::string seen_by(std::function<leat::task<std::string>(memory_stream&)> read,
                           std::string_view bytes, std::size_t piece) {
    std::string seen;
    leat::testing::run_simulated(
        [&]() -> leat::task<> {
            auto [near, far] = memory_stream::pair({.piece = piece});
            leat::spawn(send_in_pieces, std::move(far), bytes, piece);
            seen = co_await read(near);
        },
        {}, {.report = nothing_is_reported});
    return seen;
}

// What changes nothing of what is read.
enum class move_of_bytes { none, out_and_in, to_the_stream, with_the_reader };
inline move_of_bytes chosen_move(choices& choose) {
    return static_cast<move_of_bytes>(choose.below(4));
}

template <typename Reader>
void move_bytes(Reader& reader, move_of_bytes how) {
    switch (how) {
        case move_of_bytes::none:
            break;
        case move_of_bytes::out_and_in:
            reader.unread(reader.take_held());
            break;
        case move_of_bytes::to_the_stream:
            reader.give_back();
            leat::check(reader.held() == 0, "a reader that has given back holds nothing");
            break;
        case move_of_bytes::with_the_reader: {
            Reader other(std::move(reader));
            reader = std::move(other);
            break;
        }
    }
}

// What `read()`, a task, gives, unless it is cancelled after so many turns of the others.
template <typename Read>
leat::task<std::optional<std::string>> unless_cancelled(Read read, unsigned turns) {
    auto reads = leat::spawn(std::move(read));
    for (; turns > 0; --turns) {
        co_await leat::yield();
    }
    reads.cancel();
    const auto& ended = co_await reads.join();
    std::optional<std::string> seen;
    if (!ended.cancelled()) {
        seen = ended.value();
    }
    co_return seen;
}

}  // namespace fuzz
