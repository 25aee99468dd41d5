// SPDX-License-Identifier: MIT
// What nearly every test includes, compiled once for each program of tests. A test includes what it uses all
// the same: scripts/portability compiles without this.
#pragma once

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>
