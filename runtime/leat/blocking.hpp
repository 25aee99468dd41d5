// SPDX-License-Identifier: MIT
// The public face of ordinary blocking code in tasks. Whoever includes it links the library leat-blocking.
#pragma once

#include <leat/fibre/await.hpp>
#include <leat/fibre/blocking.hpp>
#include <leat/fibre/describe_blocking.hpp>
#include <leat/fibre/fibre_cancelled.hpp>
#include <leat/fibre/really_block.hpp>
#include <leat/fibre/run_blocking_main.hpp>
