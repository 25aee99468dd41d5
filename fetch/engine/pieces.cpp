// SPDX-License-Identifier: MIT
#include <fetch/engine/pieces.hpp>

#include <algorithm>
#include <limits>

namespace fetch {

namespace {

double seconds(leat::duration length) noexcept {
    return std::chrono::duration<double>(length).count();
}

}  // namespace

pieces::id pieces::insert(const piece& one) {
    under_way_.emplace(next_, one);
    return next_++;
}

pieces::id pieces::begin(byte_range brought, leat::time_point begun, std::uint64_t came) {
    piece made{.left = {brought.begin, brought.begin}, .limit = brought.end, .begun = begun, .came = came};
    byte_ranges others;
    for (const byte_range& each : missing_.all()) {
        if (each.begin <= brought.begin && brought.begin < each.end) {
            made.left.end = std::min(each.end, brought.end);
            others.add({each.begin, brought.begin});
            others.add({made.left.end, each.end});
        } else {
            others.add(each);
        }
    }
    missing_ = others;
    return insert(made);
}

std::optional<pieces::id> pieces::take(leat::time_point now) {
    byte_range taken;
    if (!missing_.empty()) {
        taken = missing_.take_first();
    } else if (const auto from = longest(now)) {
        byte_range& divided = under_way_.at(*from).left;
        taken = {divided.begin + divided.size() / 2, divided.end};
        divided.end = taken.begin;
    } else {
        return std::nullopt;
    }
    return insert({.left = taken, .limit = taken.end, .begun = now, .came = 0});
}

bool pieces::has_some(leat::time_point now) const {
    return !missing_.empty() || longest(now).has_value();
}

byte_range pieces::left(id of) const {
    return under_way_.at(of).left;
}

std::size_t pieces::accept(id of, std::size_t bytes) {
    piece& one = under_way_.at(of);
    const auto own = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, one.left.size()));
    one.left.begin += own;
    one.came += own;
    return own;
}

void pieces::end(id of) {
    missing_.add(left(of));
    under_way_.erase(of);
    for (auto& [each, other] : under_way_) {
        byte_ranges others;
        for (const byte_range& range : missing_.all()) {
            const bool goes_on = range.begin == other.left.end && range.begin < other.limit;
            const std::uint64_t end = goes_on ? std::min(range.end, other.limit) : range.begin;
            other.left.end = goes_on ? end : other.left.end;
            others.add({end, range.end});
        }
        missing_ = others;
    }
}

std::optional<double> pieces::rate_of(const piece& one, leat::time_point now) const {
    const leat::duration time = now - one.begun;
    return time < limits_.measured ? std::nullopt
                                   : std::optional(static_cast<double>(one.came) / seconds(time));
}

std::optional<double> pieces::mean_rate(leat::time_point now) const {
    double sum = 0;
    int measured = 0;
    for (const auto& [each, one] : under_way_) {
        const auto rate = rate_of(one, now);
        sum += rate.value_or(0);
        measured += rate ? 1 : 0;
    }
    return measured == 0 ? std::nullopt : std::optional(sum / measured);
}

std::optional<pieces::id> pieces::longest(leat::time_point now) const {
    const std::optional<double> mean = mean_rate(now);
    double most = seconds(limits_.least_time);
    std::optional<id> found;
    for (const auto& [each, one] : under_way_) {
        const std::optional<double> own = rate_of(one, now);
        const std::optional<double> rate = own ? own : mean;
        if (one.left.size() < std::max<std::uint64_t>(limits_.least_size, 2) || !rate) {
            continue;
        }
        const double time = *rate > 0 ? static_cast<double>(one.left.size()) / *rate
                                      : std::numeric_limits<double>::infinity();
        if (time > most) {
            most = time;
            found = each;
        }
    }
    return found;
}

}  // namespace fetch
