// SPDX-License-Identifier: MIT
// The public face of the runtime: tasks, run, spawn, time, cancellation and synchronisation. <leat/net.hpp>
// adds sockets, <leat/threads.hpp> what crosses threads, <leat/system/process.hpp> child processes,
// <leat/system/pipe.hpp> pipes and <leat/from_callback.hpp> APIs that call a function when they are ready.
#pragma once

#include <leat/as_completed.hpp>
#include <leat/as_outcome.hpp>
#include <leat/async_generator.hpp>
#include <leat/cancel_scope.hpp>
#include <leat/fd.hpp>
#include <leat/finally.hpp>
#include <leat/foreign_awaitable.hpp>
#include <leat/generator.hpp>
#include <leat/io.hpp>
#include <leat/join.hpp>
#include <leat/name_this_task.hpp>
#include <leat/observe/dump.hpp>
#include <leat/outcome.hpp>
#include <leat/race.hpp>
#include <leat/result.hpp>
#include <leat/retry.hpp>
#include <leat/run.hpp>
#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/spawn_after.hpp>
#include <leat/switch_to.hpp>
#include <leat/sync/broadcast.hpp>
#include <leat/sync/channel.hpp>
#include <leat/sync/event.hpp>
#include <leat/sync/latch.hpp>
#include <leat/sync/latest.hpp>
#include <leat/sync/mutex.hpp>
#include <leat/sync/one_shot.hpp>
#include <leat/sync/queue.hpp>
#include <leat/sync/semaphore.hpp>
#include <leat/system/signals.hpp>
#include <leat/task.hpp>
#include <leat/task_group.hpp>
#include <leat/task_local.hpp>
#include <leat/timeout.hpp>
