// SPDX-License-Identifier: MIT
#include <leat/check.hpp>

#include <leat/core/standard_streams.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

namespace leat {

namespace {

constinit std::atomic<detail::place_writer> write_place = nullptr;
constinit thread_local bool failing = false;

}  // namespace

void detail::tell_place_of_failures(place_writer write) noexcept {
    write_place.store(write, std::memory_order_relaxed);
}

void check_failed(const char* rule, std::source_location where) noexcept {
    char text[512];
    const int size = std::snprintf(text, sizeof text, "leat: %s:%u: ", where.file_name(),
                                   static_cast<unsigned>(where.line()));
    const auto shown = std::clamp<std::size_t>(static_cast<std::size_t>(size), 0, sizeof text - 1);
    const bool in_writer = std::exchange(failing, true);
    // First, because a look at the tasks may end the program, too, when an invariant of theirs is broken.
    detail::write_to_standard_error({in_writer ? "\n" : "", {text, shown}, rule});
    char place[1024];
    std::size_t length = 0;
    const detail::place_writer writer = write_place.load(std::memory_order_relaxed);
    if (writer != nullptr && !in_writer) {
        length = writer(std::span<char>(place));
    }
    detail::write_to_standard_error({{place, length}, "\n"});
    std::abort();
}

}  // namespace leat
