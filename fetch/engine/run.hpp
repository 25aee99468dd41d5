// SPDX-License-Identifier: MIT
// run_jobs: carries out all jobs of a list, many at once. The program calls it, and so may tests.
//
//     fetch::shared_parts parts{.how = how, .client = client, .told = view, .shares = ...};
//     co_await fetch::run_jobs(parts, [&] { return list.next(); });
#pragma once

#include <fetch/engine/shared_parts.hpp>
#include <fetch/list/job.hpp>

#include <leat/task.hpp>

#include <cstddef>
#include <functional>
#include <optional>

namespace fetch {

// How many transfers at once, and how many idle connections beside them, the limit of descriptors
// (RLIMIT_NOFILE) allows. A transfer has a connection and perhaps a file and its note. A new connection can
// wait for a descriptor, but the file could only fail, after its URL has been answered: so there are enough
// for all.
// So does limit_settings::memory, in the same way.
struct descriptor_shares {
    std::size_t transfers;  // that move: not more than asked for
    std::size_t open;       // with those that are silent
    std::size_t idle;
};
[[nodiscard]] descriptor_shares share_descriptors(const settings& how) noexcept;

// What one transfer may take in buffers: that of its file, and about so much of its connection; what HTTP/2
// lets come early, a mebibyte for a connection, is not counted.
inline constexpr std::uint64_t memory_of_transfer = output_file::buffer_size + 128 * std::uint64_t{1024};

[[nodiscard]] share_limits limits_of(const settings& how) noexcept;

// Ends when all jobs that `next` gives are done or have failed; it is asked for one as soon as that may
// begin. Failures are told to the observer; thrown is what `next` and the observer throw, and a file_error
// when the output folder cannot be used. Cancelled: what is there of files that are not whole can be gone on
// with.
[[nodiscard]] leat::task<> run_jobs(shared_parts& parts,
                                    std::function<leat::task<std::optional<job>>()> next);

}  // namespace fetch
