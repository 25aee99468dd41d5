// SPDX-License-Identifier: MIT
// What most sources of the library include, compiled once. They include what they use all the same:
// scripts/portability compiles without this.
#pragma once

#include <leat/runtime.hpp>
