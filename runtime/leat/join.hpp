// SPDX-License-Identifier: MIT
// join_all and gather: waiting for several tasks. join_all waits for tasks that run already and throws
// nothing; gather runs what it is given, in a group of its own, and gives the results.
#pragma once

#include <leat/as_completed.hpp>
#include <leat/task_group.hpp>
#include <leat/timeout.hpp>

#include <span>  // with the concepts of ranges; <ranges> itself takes half a second of each compilation
#include <tuple>
#include <vector>

namespace leat {

// Waits until all of `handles` have ended, however they end. Cancelling the wait leaves the tasks alone.
// The handles stay where they are until then; each still holds its result or error.
template <typename... T>
task<> join_all(const handle<T>&... handles) {
    (co_await detail::end_awaiter(handles.state()), ...);
}

template <std::ranges::forward_range Handles>
    requires detail::is_handle<std::ranges::range_value_t<Handles>>
task<> join_all(const Handles& handles) {
    for (const auto& each : handles) {
        co_await detail::end_awaiter(each.state());
    }
}

struct join_options {
    time_point deadline = never;
    std::size_t count = SIZE_MAX;  // so many are enough
};

// Waits until `count` of the handles have ended, or all, or the deadline has passed; gives how many have
// ended.
template <std::ranges::forward_range Handles>
    requires detail::is_handle<std::ranges::range_value_t<Handles>>
task<std::size_t> join_all(const Handles& handles, join_options options) {
    auto done = as_completed(handles);
    const std::size_t all = done.left();
    bool late = false;
    while (!late && done.left() > 0 && all - done.left() < options.count) {
        if (done.try_next() == nullptr) {
            const auto next = co_await move_on_at(options.deadline, done.next());
            late = !next.has_value();
        }
    }
    co_return all - done.left();
}

namespace detail {

template <typename X>
using gathered = given_by_awaiting<X>;

// What a gathered thing gives in the tuple: void gives a unit, and a reference is one there too.
template <typename T>
using in_tuple = std::conditional_t<std::is_void_v<T>, unit, T>;

template <typename T>
in_tuple<T> take_value(const handle<T>& ended) {
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(ended.state().result).get();
    }
}

// The memory for all results is allocated before anything is started, so that no result is lost.
template <std::ranges::forward_range Range, typename... Vectors>
void reserve_for(Range&& range, Vectors&... vectors) {
    const auto count = static_cast<std::size_t>(std::ranges::distance(range));
    (vectors.reserve(count), ...);
}

// Each X is deferred (deferred.hpp).
template <typename... X>
auto gather_deferred(X... x) -> task<std::tuple<in_tuple<gathered<X>>...>> {
    const std::source_location where = place_awaited();
    std::tuple<handle<gathered<X>>...> started;
    co_await with_task_group([&](task_group& group) -> task<> {
        started = std::tuple<handle<gathered<X>>...>{group.spawn(std::move(x), where)...};
        co_return;
    });
    co_return std::apply(
        [](const auto&... ended) { return std::tuple<in_tuple<gathered<X>>...>(take_value(ended)...); },
        started);
}

}  // namespace detail

// Runs each X (an awaitable, a task, or a callable that gives one) in a task of its own, and gives all
// results, in order, as a std::tuple. The first error cancels the others and is thrown when they have ended.
// A handle is only awaited: its task goes on.
template <typename... X>
    requires(sizeof...(X) > 0 && (!std::ranges::range<X> && ...))
auto gather(X&&... x) {
    return detail::gather_deferred(detail::deferred(std::forward<X>(x))...);
}

namespace detail {

// Of a range that is consumed: tasks and most awaitables are moved out of it.
template <typename Range>
constexpr bool check_consumed() noexcept {
    using X = std::ranges::range_value_t<Range>;
    constexpr bool taken = !std::is_lvalue_reference_v<Range> || std::copy_constructible<X>;
    static_assert(taken, "what is in a range is awaited once: move the range, std::move(range)");
    return taken;
}

template <typename Range, typename X = std::ranges::range_value_t<Range>, typename T = gathered<X>>
auto gather_range(Range range)
    -> task<std::conditional_t<std::is_void_v<T>, void, std::vector<stored_result<T>>>> {
    const std::source_location where = place_awaited();
    std::vector<handle<T>> started;
    std::vector<stored_result<in_tuple<T>>> results;
    if constexpr (std::is_void_v<T>) {
        reserve_for(range, started);
    } else {
        reserve_for(range, started, results);
    }
    co_await with_task_group([&](task_group& group) -> task<> {
        for (X& x : range) {
            started.push_back(group.spawn(std::move(x), where));
        }
        co_return;
    });
    if constexpr (!std::is_void_v<T>) {
        for (const auto& ended : started) {
            results.push_back(take_value(ended));
        }
        co_return results;
    }
}

}  // namespace detail

// The same for a range, which it consumes: gives a std::vector, or nothing for tasks that give nothing.
template <std::ranges::forward_range Range>
auto gather(Range&& range) {
    if constexpr (detail::check_consumed<Range>()) {
        return detail::gather_range(std::remove_cvref_t<Range>(std::forward<Range>(range)));
    } else {
        return task<>();
    }
}

namespace detail {

// What function(item) gives once it is awaited.
template <typename Function, typename Range>
struct given_for_each {
    using item = std::ranges::range_reference_t<const Range>;
    static constexpr bool fits = [] {
        if constexpr (std::invocable<Function&, item>) {
            return any_awaitable<std::invoke_result_t<Function&, item>>;
        } else {
            return false;
        }
    }();
    static_assert(fits,
                  "the function is called with each item of the range, and gives a task or an awaitable");
    using type = given_by_awaiting<typename std::conditional_t<fits, std::invoke_result<Function&, item>,
                                                               std::type_identity<task<>>>::type>;
};

// Runs function(item) for every item, in a task of its own, and tells `spawned` of its handle.
template <typename Range, typename Function, typename Spawned>
task<> run_for_each(const Range& range, std::size_t limit, Function& function, std::source_location where,
                    Spawned spawned) {
    using item_type = std::ranges::range_reference_t<const Range>;
    co_await with_task_group({.limit = limit}, [&](task_group& group) -> task<> {
        for (auto&& item : range) {
            while (group.full()) {
                co_await group.below_limit();
            }
            // Items of the range are referred to; those that iterating makes are moved into the task.
            spawned(group.spawn(
                [&function, kept = std::tuple<item_type>(std::forward<item_type>(item))]() mutable {
                    return std::invoke(function, std::get<0>(std::move(kept)));
                },
                where));
        }
        co_await group.wait();
    });
}

}  // namespace detail

// Runs `function(item)`, which gives a task or an awaitable, for every item of the range, at most `limit` at
// once. The first error cancels the others and is thrown. The range stays alive and unchanged until then.
//
// The limit bounds what the items hold at once, such as connections. Each of those needs a descriptor: with a
// limit near RLIMIT_NOFILE (ulimit -n) an item fails with std::errc::too_many_files_open, and ends all.
// Choose a limit well below it, or let the items share an http::client, whose connections wait for each
// other.
template <std::ranges::forward_range Range, typename Function>
task<> for_each_concurrently(const Range& range, std::size_t limit, Function function) {
    if constexpr (detail::given_for_each<Function, Range>::fits) {
        const std::source_location where = detail::place_awaited();
        co_await detail::run_for_each(range, limit, function, where, [](const auto& /*spawned*/) {});
    }
}

// The same, giving the results in the order of the range.
template <std::ranges::forward_range Range, typename Function,
          typename T = typename detail::given_for_each<Function, Range>::type>
auto map_concurrently(const Range& range, std::size_t limit, Function function)
    -> task<std::vector<detail::stored_result<detail::in_tuple<T>>>> {
    const std::source_location where = detail::place_awaited();
    std::vector<handle<T>> started;
    std::vector<detail::stored_result<detail::in_tuple<T>>> results;
    detail::reserve_for(range, started, results);
    co_await detail::run_for_each(range, limit, function, where,
                                  [&](handle<T>&& spawned) { started.push_back(std::move(spawned)); });
    for (const auto& ended : started) {
        results.push_back(detail::take_value(ended));
    }
    co_return results;
}

}  // namespace leat
