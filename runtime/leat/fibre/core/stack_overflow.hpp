// SPDX-License-Identifier: MIT
// stack_overflow: a fibre that overflows its stack dies by SIGSEGV, and a line says so. The kernel needs
// another stack for the signal; each thread that runs fibres has one.
#pragma once

namespace leat::detail {

// Handles SIGSEGV from now on, in this thread, too. What is no overflow of a fibre goes to the handler that
// was there before. Later calls begin anew only where the default has come back: a handler that the program
// has installed since then stays.
void watch_for_overflows() noexcept;

}  // namespace leat::detail
