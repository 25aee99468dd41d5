// SPDX-License-Identifier: MIT
// retry: calls a function until its result succeeds, and waits between the tries, longer each time. For
// failures that pass: a server starts again, a network is down, descriptors are scarce.
//
//   auto page = co_await leat::retry({.tries = 8, .most = 5s}, [&] { return fetch(url); });
//
// After the first failure it waits for at most `first`, then for twice as long, and so on up to `most`. With
// jitter each wait is drawn from 0 to that bound ("full jitter"), so that clients that failed together do not
// come back together. The backend draws: a simulation replays the draws from its seed. The function must be
// safe to repeat after it was done in part.
#pragma once

#include <leat/check.hpp>
#include <leat/clock.hpp>
#include <leat/core/deferred.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

// Whether another try may succeed a little later: after a connection that was refused, reset or aborted, a
// timeout, a network or a host that cannot be reached, a lack of descriptors, buffers or memory, an
// interruption, or an error that asks for another try, such as a temporary failure of the DNS. It compares
// with std::errc, so codes of any category count whose error conditions say so. The end of a stream does not
// count.
[[nodiscard]] bool is_transient(std::error_code error) noexcept;

struct retry_options {
    int tries = 5;  // calls at most, the first one too; at least 1
    // The bound of the first wait, and of all. Negative ones count as zero; a wait of zero is a yield.
    duration first = std::chrono::milliseconds(100);
    duration most = std::chrono::seconds(10);
    bool jitter = true;  // without it each wait is as long as its bound
    // Which errors are worth another try.
    bool (*when)(std::error_code) = is_transient;
};

// The waits between tries, in order, for loops of one's own: each is drawn as said above.
class retry_waits {
public:
    explicit retry_waits(const retry_options& how) noexcept;
    // Only tasks call it.
    [[nodiscard]] duration next() noexcept;

private:
    duration bound_;
    duration most_;
    bool jitter_;
};

namespace detail {

template <typename Function, typename Given = std::invoke_result_t<Function&>>
auto retried(retry_options how, Function function) -> task<given_by_awaiting<Given>> {
    check_given<Given>();
    retry_waits waits(how);
    for (int tried = 1;; ++tried) {
        try {
            co_return co_await std::invoke(function);
        } catch (const std::system_error& error) {
            if (tried >= how.tries || !how.when(error.code())) {
                throw;
            }
        }
        co_await sleep(waits.next());
    }
}

}  // namespace detail

// co_await retry({.tries = 3}, function): what the first `function()` that succeeds gives. It gives a task or
// another awaitable, and is copied or moved into the retry. A std::system_error whose code `when` accepts is
// followed by a wait and another try; the error of the last try, and any other exception, is thrown as it
// is. A timeout(...) that the function gives limits one try, one around the retry limits all. A cancellation
// ends the try or the wait at once, and no other try begins. No tries, or no `when`, is misuse.
template <typename Function>
    requires std::invocable<std::decay_t<Function>&>
[[nodiscard]] auto retry(retry_options how, Function&& function) {
    check(how.tries >= 1, "a retry tries at least once");
    check(how.when != nullptr, "a retry knows which errors are worth another try");
    return detail::retried(how, std::decay_t<Function>(std::forward<Function>(function)));
}
// The same with the usual options.
template <typename Function>
    requires std::invocable<std::decay_t<Function>&>
[[nodiscard]] auto retry(Function&& function) {
    return retry(retry_options(), std::forward<Function>(function));
}

}  // namespace leat
