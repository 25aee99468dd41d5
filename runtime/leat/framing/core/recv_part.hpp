// SPDX-License-Identifier: MIT
// recv_part: what is behind recv_line and recv_until. What is read from a stream and is not the caller's goes
// back to it, for whoever receives next.
#pragma once

#include <leat/framing/core/held_bytes.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <new>
#include <optional>
#include <string>
#include <system_error>

namespace leat::detail {

// Gives back what is left in `held`. Without memory for that, or if the stream takes nothing back, it is
// closed: it would go on behind a gap.
template <receive_stream Stream>
struct given_back {
    explicit given_back(Stream& of) noexcept : from(of) {}
    given_back(const given_back&) = delete;
    given_back& operator=(const given_back&) = delete;
    ~given_back() {
        if (held.empty()) {
            return;
        }
        if constexpr (pushback_stream<Stream>) {
            try {
                from.unread(held.take_all());
            } catch (const std::system_error& refused) {
                if (refused.code() != stream_errc::closed) {
                    from.close();
                }
            } catch (const std::bad_alloc&) {
                from.close();
            }
        } else {
            from.close();
        }
    }
    Stream& from;
    held_bytes held;
};

// Of a stream whose next user waits until a cancelled one has unwound.
template <receive_stream Stream>
task<std::optional<std::string>> recv_part_by_chunks(Stream& from, wanted asked) {
    given_back rest(from);
    part found;
    for (bool ended = false; found.is == part::state::missing; found = rest.held.find(asked, ended)) {
        chunk more = co_await from.recv_chunk();
        ended = more.empty();
        rest.held.add(std::move(more));
    }
    std::optional<std::string> text;
    if (found.is == part::state::there) {
        text.emplace(rest.held.text().substr(found.begin, found.size));
        rest.held.drop(found.whole);
    }
    co_return text;
}

// A stream whose operations begin as soon as the one before has ended has recv_part(stream, asked).
template <receive_stream Stream>
task<std::optional<std::string>> recv_part_of(Stream& from, const wanted& asked) {
    if constexpr (requires { recv_part(from, asked); }) {
        return recv_part(from, asked);
    } else {
        return recv_part_by_chunks(from, asked);
    }
}

}  // namespace leat::detail
