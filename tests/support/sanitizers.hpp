// SPDX-License-Identifier: MIT
// sanitizers: which of them a test is compiled with. Under them all takes several times as long, memory comes
// from elsewhere, and a forked child may not start threads.
#pragma once

#include <leat/core/sanitizers.hpp>

namespace leat::testing {

using leat::detail::address_sanitized;
using leat::detail::thread_sanitized;

}  // namespace leat::testing
