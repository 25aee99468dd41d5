// SPDX-License-Identifier: MIT
#include <fetch/program/checksum_notes.hpp>

#include <leat/system/folder.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace fetch {

void checksum_notes::ended(const transfer& of) {
    if (!list_.is_wanted()) {
        return;
    }
    const bool is_there = of.state != transfer_state::failed && of.sum && !of.file.empty();
    waiting_[of.job.number] = is_there ? checksum_line(*of.sum, of.file) : std::string();
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first <= next_;) {
        next_ = std::max(next_, first->first + 1);
        list_.add(first->second);
        first = waiting_.erase(first);
    }
}

leat::task<> checksum_notes::draw(const run_totals& /*totals*/) {
    co_return;
}

void checksum_notes::summarize(const run_totals& /*totals*/, std::string_view /*stopped*/) {
    for (const auto& [number, line] : waiting_) {  // of a run that was stopped
        list_.add(line);
    }
    list_.finish();
}

leat::task<listed_checksums> read_checksums(std::string path) {
    constexpr std::size_t longest = std::size_t{1} << 30U;
    if (path.empty()) {
        co_return listed_checksums();
    }
    const std::string text = co_await leat::read_file(path, longest);
    try {
        co_return listed_checksums(checksum_list::read(text));
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(path + ": " + wrong.what());
    }
}

}  // namespace fetch
