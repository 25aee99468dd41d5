// SPDX-License-Identifier: MIT
// usable_processors: how many processors this process may use: as many as its affinity allows
// (sched_setaffinity(2)), and no more than the CPU time its control groups grant it (cpu.max of version 2,
// cpu.cfs_quota_us of version 1).
#pragma once

#include <string>

namespace leat {

// At least 1. A quota of one and a half processors counts as 2. Asks the kernel each time.
[[nodiscard]] unsigned usable_processors();

namespace detail {

// The quota of the control groups that `cgroups`, a copy of /proc/self/cgroup, names, in processors rounded
// up; 0 when there is none. `mounts` is where control groups are mounted: /sys/fs/cgroup.
[[nodiscard]] unsigned processors_granted(const std::string& cgroups, const std::string& mounts);

// Lets this thread run wherever the process's first thread may, whatever its maker was pinned to.
void run_on_any_processor() noexcept;

// Lets this thread run on the processor `index` only, counted among those it may use, round and round.
void run_on_processor(unsigned index) noexcept;

}  // namespace detail

}  // namespace leat
