// SPDX-License-Identifier: MIT
// run_blocking_main: runs a whole ordinary program, which blocks, as the first task of a scheduler:
//
//   int main() { return leat::run_blocking_main([] { return serve_as_ever(8080); }); }
//
// Whatever it spawns, by leat::spawn(leat::blocking(...)), runs beside it.
#pragma once

#include <leat/fibre/blocking.hpp>
#include <leat/run.hpp>

#include <source_location>
#include <utility>

namespace leat {

// run_main of blocking(function), of which it gives the exit status: what the function returns, if that is an
// int, and else 0; 1 when it throws. When the function has returned the tasks that it has spawned are
// cancelled, and awaited: their calls are refused, so they return.
template <typename Function>
int run_blocking_main(Function&& function, run_options options = {},
                      std::source_location where = std::source_location::current()) noexcept {
    return run_main([&function] { return blocking(std::forward<Function>(function)); }, options, where);
}
template <typename Function>
int run_blocking_main(blocking_options stack, Function&& function, run_options options = {},
                      std::source_location where = std::source_location::current()) noexcept {
    return run_main([&function, stack] { return blocking(stack, std::forward<Function>(function)); }, options,
                    where);
}

}  // namespace leat
