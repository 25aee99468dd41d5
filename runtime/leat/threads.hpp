// SPDX-License-Identifier: MIT
// The public face of what crosses threads: blocking functions on other threads, values and calls between
// schedulers, and a scheduler on each processor. <leat/runtime.hpp> is the face of the rest.
#pragma once

#include <leat/offload.hpp>
#include <leat/processors.hpp>
#include <leat/remote_call.hpp>
#include <leat/thread_channel.hpp>
#include <leat/workers.hpp>
