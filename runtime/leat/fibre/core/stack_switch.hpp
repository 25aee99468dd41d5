// SPDX-License-Identifier: MIT
// stack_switch: the switch between stacks, of which the sanitizers are told. Without them it is the bare one.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#include <leat/fibre/core/stack_switch_address.hpp>
#elif defined(__SANITIZE_THREAD__)
#include <leat/fibre/core/stack_switch_thread.hpp>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <leat/fibre/core/stack_switch_address.hpp>
#elif __has_feature(thread_sanitizer)
#include <leat/fibre/core/stack_switch_thread.hpp>
#else
#include <leat/fibre/core/stack_switch_bare.hpp>
#endif
#else
#include <leat/fibre/core/stack_switch_bare.hpp>
#endif
