// SPDX-License-Identifier: MIT
// spawn_after: spawns a task that begins after a delay.
#pragma once

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <functional>
#include <source_location>
#include <utility>

namespace leat {

// How long a task waits before it begins, and where that was said.
class delay {
public:
    template <typename Rep, typename Period>
    delay(std::chrono::duration<Rep, Period> length,  // any duration is a delay
          std::source_location where = std::source_location::current())
        : until_(after(now(), length)), where_(where) {}
    [[nodiscard]] time_point until() const noexcept { return until_; }
    [[nodiscard]] const std::source_location& where() const noexcept { return where_; }

private:
    time_point until_;
    std::source_location where_;
};

namespace detail {

template <typename Function, typename Stored>
struct spawned_later;
template <typename Function, typename... Stored>
struct spawned_later<Function, type_list<Stored...>> {
    static auto begin(time_point when, Function function, Stored... arguments)
        -> std::invoke_result_t<Function&, Stored...> {
        co_await sleep_until(when);
        co_return co_await std::invoke(function, std::move(arguments)...);
    }
};

}  // namespace detail

// The same as spawn(), and the task calls `function(arguments...)` when `length` has passed. Cancelled
// through its handle before, it calls nothing.
template <typename Function, typename... Arguments>
auto spawn_after(delay length, Function&& function, Arguments&&... arguments) {
    using stored =
        typename detail::stored_arguments<typename detail::parameters_of<std::decay_t<Function>>::type,
                                          std::decay_t<Arguments>...>::type;
    return detail::spawn_call(current_scheduler().root(), length.where(),
                              detail::spawned_later<std::decay_t<Function>, stored>::begin, length.until(),
                              std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace leat
