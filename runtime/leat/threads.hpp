// SPDX-License-Identifier: MIT
// The public face of what crosses threads: blocking functions on other threads, values and calls between
// schedulers, and a scheduler on each processor. <leat/runtime.hpp> is the face of the rest.
#pragma once

#include <leat/threads/offload.hpp>
#include <leat/threads/processors.hpp>
#include <leat/threads/remote_call.hpp>
#include <leat/threads/thread_channel.hpp>
#include <leat/threads/workers.hpp>
