// SPDX-License-Identifier: MIT
// checksum_notes: writes the SHA-256 of each file of a run that is there at its end, in the order of the
// jobs, as sha256sum(1) does (--write-checksums). read_checksums: reads such a list (--checksums).
// Invariant: only lines that wait for those of earlier jobs are held in memory.
#pragma once

#include <fetch/engine/listed_checksums.hpp>
#include <fetch/program/written_list.hpp>
#include <fetch/views/view.hpp>

#include <leat/task.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace fetch {

class checksum_notes final : public view {
public:
    // `path`: of the list; empty: none is written. Throws std::system_error when it cannot be made.
    explicit checksum_notes(std::string path) : list_(std::move(path)) {}

    void ended(const transfer& of) override;
    leat::task<> draw(const run_totals& totals) override;
    // Throws std::system_error when the list could not be written.
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    written_list list_;
    std::map<std::uint64_t, std::string> waiting_;  // lines, by the numbers of their jobs
    std::uint64_t next_ = 1;
};

// Empty: there is no list. Throws std::system_error, or std::invalid_argument, with the path.
[[nodiscard]] leat::task<listed_checksums> read_checksums(std::string path);

}  // namespace fetch
