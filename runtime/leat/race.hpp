// SPDX-License-Identifier: MIT
// race: runs several awaitables at once; the first that ends cancels the others.
#pragma once

#include <leat/finally.hpp>
#include <leat/join.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <tuple>
#include <vector>

namespace leat {

namespace detail {

// Waits inside `group`, where all racers run, until one has ended; then cancels the others.
inline task<> end_after_first(task_group& group) {
    co_await children_awaiter(group.scope(), group.size(), children_awaiter::for_room);
    group.cancel("another was first");
}

// Runs `start`, which spawns the racers, and returns when all have ended. When the race is cancelled from
// outside it returns only if `any` of them has a value all the same.
template <typename Start, typename Any>
task<> run_race(Start start, Any any) {
    const auto ended = co_await caught(with_task_group([&](task_group& group) -> task<> {
        start(group);
        co_await end_after_first(group);
    }));
    if (ended.cancelled() && !any()) {
        co_await checkpoint();  // does not return: what cancelled the race is around this, too
        throw task_cancelled(ended.why());
    }
}

template <typename T>
using raced = std::optional<stored_result<in_tuple<T>>>;

template <typename T>
raced<T> take_if_won(const handle<T>& ended) {
    return ended.ok() ? raced<T>(take_value(ended)) : raced<T>();
}

// Each X is deferred (deferred.hpp).
template <typename... X>
auto race_deferred(X... x) -> task<std::tuple<raced<gathered<X>>...>> {
    const std::source_location where = place_awaited();
    std::tuple<handle<gathered<X>>...> racers;
    co_await run_race(
        [&](task_group& group) {
            racers = std::tuple<handle<gathered<X>>...>{group.spawn(std::move(x), where)...};
        },
        [&] { return std::apply([](const auto&... each) { return (each.ok() || ...); }, racers); });
    co_return std::apply(
        [](const auto&... each) { return std::tuple<raced<gathered<X>>...>(take_if_won(each)...); }, racers);
}

}  // namespace detail

// Runs each X (an awaitable, a task, or a callable that gives one) in a task of its own, until the first has
// a value; cancels the others, and returns when all have ended, with a std::tuple of std::optional. At least
// one is engaged: more, if others had their value by then, so that nothing is lost. An exception of any of
// them cancels the rest and is thrown. A handle that loses is no longer awaited; its task goes on. Cancelled:
// the racers are cancelled; if one has its value all the same, that is returned.
template <typename... X>
    requires(sizeof...(X) > 0 && (!std::ranges::range<X> && ...))
auto race(X&&... x) {
    return detail::race_deferred(detail::deferred(std::forward<X>(x))...);
}

namespace detail {

template <typename Range, typename X = std::ranges::range_value_t<Range>, typename T = gathered<X>>
auto race_range(Range range) -> task<std::vector<raced<T>>> {
    if (std::ranges::empty(range)) {
        throw std::invalid_argument("a race of nothing has no end");
    }
    const std::source_location where = place_awaited();
    std::vector<handle<T>> racers;
    std::vector<raced<T>> results;
    reserve_for(range, racers, results);
    co_await run_race(
        [&](task_group& group) {
            for (X& x : range) {
                racers.push_back(group.spawn(std::move(x), where));
            }
        },
        [&] {
            bool any = false;
            for (const handle<T>& each : racers) {
                any = any || each.ok();
            }
            return any;
        });
    for (const handle<T>& each : racers) {
        results.push_back(take_if_won(each));
    }
    co_return results;
}

}  // namespace detail

// The same for a range, which it consumes; gives a std::vector of std::optional. Throws std::invalid_argument
// when the range is empty: nothing would ever end first.
template <std::ranges::forward_range Range>
auto race(Range&& range) {
    if constexpr (detail::check_consumed<Range>()) {
        return detail::race_range(std::remove_cvref_t<Range>(std::forward<Range>(range)));
    } else {
        return task<>();
    }
}

}  // namespace leat
