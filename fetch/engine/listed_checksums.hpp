// SPDX-License-Identifier: MIT
// listed_checksums: the checksums that the files of a run must have, by their names (--checksums), and which
// of them belong to a file of the run. The run has one; its transfers ask it.
#pragma once

#include <fetch/files/checksum_list.hpp>

#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace fetch {

class listed_checksums {
public:
    // There is no list.
    listed_checksums() = default;
    explicit listed_checksums(checksum_list list) : list_(std::move(list)), is_there_(true) {}

    [[nodiscard]] bool is_there() const noexcept { return is_there_; }
    // Of the file that is called so, below the output folder; null: the list has none. It lives as long as
    // this.
    [[nodiscard]] const digest* find(std::string_view name) const { return list_.find(name); }
    // That file of the run is there, and has it.
    void found(const digest* one) { used_.insert(one); }
    // How many are of no file of the run that is there.
    [[nodiscard]] std::size_t unused() const noexcept { return list_.size() - used_.size(); }

private:
    checksum_list list_;
    bool is_there_ = false;
    std::unordered_set<const digest*> used_;
};

}  // namespace fetch
