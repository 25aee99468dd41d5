// SPDX-License-Identifier: MIT
// detachable: types that belong to a run, such as streams, and can be detached from it
// (descriptor_owner.hpp). A value that goes to another thread is detached on the way; one inside another
// value is not: its owner calls detach().
#pragma once

#include <concepts>
#include <type_traits>

namespace leat::detail {

// The base of those types.
struct at_home_in_run {};

template <typename T>
concept detachable = std::derived_from<T, at_home_in_run> && requires(T& object) { object.detach(); };

// Throws std::bad_alloc.
template <typename T>
void detach_for_other_thread([[maybe_unused]] T& object) {
    if constexpr (detachable<T>) {
        object.detach();
    }
}

}  // namespace leat::detail
