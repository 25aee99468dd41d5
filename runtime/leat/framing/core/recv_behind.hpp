// SPDX-License-Identifier: MIT
// recv_behind: a recv_chunk of a task that holds bytes of the stream, and will give them back if it is
// cancelled. A task that receives then, before this one has unwound, sees them first.
#pragma once

#include <leat/framing/core/held_bytes.hpp>
#include <leat/stream.hpp>

namespace leat::detail {

// A stream whose operations begin in the order of its users has recv_behind(stream, held), which gives the
// bytes back when the wait ends as cancelled. Others let the next user begin after the unwinding.
template <receive_stream Stream>
auto recv_chunk_behind(Stream& from, held_bytes& held) {
    if constexpr (requires { recv_behind(from, held); }) {
        return recv_behind(from, held);
    } else {
        return from.recv_chunk();
    }
}

}  // namespace leat::detail
