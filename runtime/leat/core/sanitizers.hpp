// SPDX-License-Identifier: MIT
// sanitizers: which of them a source is compiled with. Under AddressSanitizer memory is not recycled, so that
// it finds uses after the release; and sanitizers are told of switches between stacks.
#pragma once

namespace leat::detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool address_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool address_sanitized = false;
#endif

#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool thread_sanitized = __has_feature(thread_sanitizer);
#else
inline constexpr bool thread_sanitized = false;
#endif

}  // namespace leat::detail
