// SPDX-License-Identifier: MIT
#include <leat/fibre/core/fibre_wait.hpp>

#include <leat/check.hpp>

namespace leat::detail {

fibre_wait_end wait_for_descriptors(std::span<pollfd> /*asked*/, time_point /*deadline*/) noexcept {
    check(false, "this is called in a fibre");
    return fibre_wait_end::refused;
}

fibre_wait_end wait_to_try(int /*fd*/, short /*event*/, time_point /*deadline*/) noexcept {
    check(false, "this is called in a fibre");
    return fibre_wait_end::refused;
}

fibre_wait_end wait_for_time(time_point /*deadline*/) noexcept {
    check(false, "this is called in a fibre");
    return fibre_wait_end::refused;
}

bool refuse_call() noexcept {
    return false;
}

void descriptor_closes(int /*fd*/) noexcept {}

}  // namespace leat::detail
