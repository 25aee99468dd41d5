// SPDX-License-Identifier: MIT
// check_stream: checks that a type of stream behaves as every stream of leat does. Run it on your own type,
// in a test, on each backend. It asks for a new pair of connected ends for each check:
//
//   co_await check_stream([]() -> task<std::pair<my_stream, my_stream>> { ... });
//
// It carries bytes in pieces of all sizes and in both directions at once, ends one direction and then the
// other, closes or resets a stream under its users, and cancels each operation at every moment.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/clock.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <utility>

namespace leat::testing {

// What is wrong with a stream: the name of the check, and what was found.
class stream_flaw : public std::logic_error {
public:
    using logic_error::logic_error;
};

struct check_stream_options {
    duration patience = std::chrono::seconds(60);  // for each check: it is a flaw to take longer
    std::size_t large = 1'000'000;                 // bytes of a big transfer
    std::size_t blocks = 4'000'000;                // bytes for which a send_all waits without a receiver
};

// Two connected ends of whatever kind.
using make_any_streams = std::function<task<std::pair<any_stream, any_stream>>()>;

// check_stream(), for what is in an any_stream already.
[[nodiscard]] task<> check_any_streams(make_any_streams make, check_stream_options options = {});

// Returns when the streams that `make_pair` makes have passed all checks; throws the first stream_flaw, or
// what `make_pair` throws. `make_pair` is a callable that gives a pair of streams, or a task of one; any
// handshake must be completed first.
template <typename MakePair>
[[nodiscard]] task<> check_stream(MakePair make_pair, check_stream_options options = {}) {
    co_await check_any_streams(
        [&make_pair]() -> task<std::pair<any_stream, any_stream>> {
            if constexpr (leat::detail::is_task<decltype(make_pair())>) {
                auto [one, other] = co_await make_pair();
                co_return std::pair(any_stream(std::move(one)), any_stream(std::move(other)));
            } else {
                auto [one, other] = make_pair();
                co_return std::pair(any_stream(std::move(one)), any_stream(std::move(other)));
            }
        },
        options);
}

}  // namespace leat::testing
