// SPDX-License-Identifier: MIT
// received_part: the bytes that a recv_exactly of a stream in memory has received so far, and where they go
// when it does not get all. Internal to the test kit.
#pragma once

#include <leat/core/frame.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <system_error>

namespace leat::testing::detail {

// What was given back to a stream in memory: the next receive sees it first.
struct given_back {
    std::string bytes;
    bool lost = false;  // for want of memory
};

// A receive that is cancelled, or finds no memory, gives back to `source` what it had taken.
struct received_part {
    received_part(given_back& source, std::span<std::byte> into) noexcept : source(source), into(into) {}
    received_part(const received_part&) = delete;
    received_part& operator=(const received_part&) = delete;
    ~received_part() {
        if (out_of_memory || unwinding()) {
            try {
                source.bytes.insert(0, reinterpret_cast<const char*>(into.data()), count);
            } catch (const std::bad_alloc&) {
                source.lost = true;
            }
        }
    }

    given_back& source;
    std::span<std::byte> into;
    std::size_t count = 0;
    bool out_of_memory = false;
};

// Fills `into` by `receive(rest)`, a task that gives how many bytes it received, or 0 at the end.
template <typename Receive>
task<> receive_whole(given_back& source, std::span<std::byte> into, Receive receive) {
    received_part part(source, into);
    try {
        while (part.count < into.size()) {
            const std::size_t count = co_await receive(into.subspan(part.count));
            if (count == 0) {
                throw leat::detail::cut_short(stream_errc::end_of_stream, "recv", part.count, into.size());
            }
            part.count += count;
        }
    } catch (const std::bad_alloc&) {
        part.out_of_memory = true;
        throw;
    }
}

[[noreturn]] inline void fail_as_lost() {
    throw std::system_error(std::make_error_code(std::errc::not_enough_memory),
                            "recv: what a cancelled read had taken is lost");
}

}  // namespace leat::testing::detail
