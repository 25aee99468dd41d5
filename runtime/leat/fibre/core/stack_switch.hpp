// SPDX-License-Identifier: MIT
// stack_switch: the switch between stacks, of which the sanitizers are told. Without them it is the bare one.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#include <leat/fibre/core/stack_switch_address.hpp>
namespace leat::detail {
using watched_stack = address_watched_stack;
}
#elif defined(__SANITIZE_THREAD__)
#include <leat/fibre/core/stack_switch_thread.hpp>
namespace leat::detail {
using watched_stack = thread_watched_stack;
}
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <leat/fibre/core/stack_switch_address.hpp>
namespace leat::detail {
using watched_stack = address_watched_stack;
}
#elif __has_feature(thread_sanitizer)
#include <leat/fibre/core/stack_switch_thread.hpp>
namespace leat::detail {
using watched_stack = thread_watched_stack;
}
#else
#include <leat/fibre/core/stack_switch_bare.hpp>
namespace leat::detail {
using watched_stack = unwatched_stack;
}
#endif
#else
#include <leat/fibre/core/stack_switch_bare.hpp>
namespace leat::detail {
using watched_stack = unwatched_stack;
}
#endif
