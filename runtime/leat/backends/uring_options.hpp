// SPDX-License-Identifier: MIT
// uring_options: how much of io_uring is used. Programs take the defaults; tests also ask for less.
#pragma once

namespace leat {

struct uring_options {
    // Use what came after Linux 5.17: rings of buffers, receives that stay armed, deferred work, waiting
    // before the first try. Without it the ring is worked as on an old kernel.
    bool newer_features = true;
    // Entries of the two queues, powers of two. Of fewer submissions than 4 there are 4.
    unsigned submissions = 256;
    unsigned completions = 4096;
};

}  // namespace leat
