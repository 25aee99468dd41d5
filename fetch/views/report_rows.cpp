// SPDX-License-Identifier: MIT
#include <fetch/views/report_rows.hpp>

#include <fetch/views/text.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace fetch {
namespace {

std::string at_most(std::string text) {
    constexpr std::size_t most = 500;
    if (text.size() > most) {
        text.resize(most);
        text += "...";
    }
    return printable(text);
}

bool is_slower(const report_row& one, const report_row& other) noexcept {
    return one.length() > other.length();
}

}  // namespace

report_row report_row_of(const transfer& of) {
    const bool failed = of.state == transfer_state::failed && of.failure.has_value();
    return {.number = of.job.number,
            .url = at_most(of.shown),
            .file = at_most(of.file),
            .failure = failed ? at_most(of.failure->text) : "",
            .kind = failed ? of.failure->kind : failure_kind::other,
            .state = of.state,
            .status = of.status,
            .tries = of.tries,
            .received = of.received,
            .times = of.times};
}

void report_rows::add(report_row one) {
    if (one.state == transfer_state::failed) {
        draw_lot(failed_, limits_.failed, ++failed_seen_, std::move(one));
        return;
    }
    slowest_.push_back(std::move(one));
    std::push_heap(slowest_.begin(), slowest_.end(), is_slower);
    if (slowest_.size() > limits_.slowest) {
        std::pop_heap(slowest_.begin(), slowest_.end(), is_slower);
        report_row faster = std::move(slowest_.back());
        slowest_.pop_back();
        draw_lot(sample_, limits_.sample, ++sample_seen_, std::move(faster));
    }
}

void report_rows::draw_lot(std::vector<report_row>& kept, std::size_t most, std::uint64_t seen,
                           report_row one) {
    if (kept.size() < most) {
        kept.push_back(std::move(one));
        return;
    }
    ++left_out_;
    if (const std::uint64_t place = random_() % seen; place < most) {
        kept[place] = std::move(one);
    }
}

std::vector<report_row> report_rows::take() {
    std::vector<report_row> all = std::exchange(failed_, {});
    for (auto* const some : {&slowest_, &sample_}) {
        std::move(some->begin(), some->end(), std::back_inserter(all));
        some->clear();
    }
    std::sort(all.begin(), all.end(), [](const report_row& one, const report_row& other) {
        return std::pair(one.times.begin, one.number) < std::pair(other.times.begin, other.number);
    });
    return all;
}

}  // namespace fetch
