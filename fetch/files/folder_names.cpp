// SPDX-License-Identifier: MIT
#include <fetch/files/folder_names.hpp>

#include <new>

namespace fetch {

namespace {

constexpr std::size_t first_places = 64;
constexpr std::size_t most_hints = 16 * 1024;

}  // namespace

std::size_t fingerprint_set::place_of(std::uint64_t fingerprint) const noexcept {
    std::size_t place = fingerprint & (places_.size() - 1);
    while (places_[place] != 0 && places_[place] != fingerprint) {
        place = (place + 1) & (places_.size() - 1);
    }
    return place;
}

void fingerprint_set::grow() {
    std::vector<std::uint64_t> before(places_.empty() ? first_places : 2 * places_.size());
    before.swap(places_);
    for (const std::uint64_t each : before) {
        if (each != 0) {
            places_[place_of(each)] = each;
        }
    }
}

bool fingerprint_set::insert(std::uint64_t fingerprint) {
    if (4 * (size_ + 1) > 3 * places_.size()) {
        grow();
    }
    fingerprint = fingerprint == 0 ? 1 : fingerprint;
    const std::size_t place = place_of(fingerprint);
    if (places_[place] != 0) {
        return false;
    }
    places_[place] = fingerprint;
    ++size_;
    return true;
}

bool fingerprint_set::contains(std::uint64_t fingerprint) const noexcept {
    return size_ != 0 && places_[place_of(fingerprint == 0 ? 1 : fingerprint)] != 0;
}

// FNV-1a, whose bits are mixed as in MurmurHash3, so that the low ones are as good as the others.
std::uint64_t fingerprint_of(std::string_view name) noexcept {
    std::uint64_t sum = 0xcbf29ce484222325U;
    for (const char each : name) {
        sum = (sum ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
    }
    sum = (sum ^ (sum >> 33U)) * 0xff51afd7ed558ccdU;
    sum = (sum ^ (sum >> 33U)) * 0xc4ceb9fe1a85ec53U;
    return sum ^ (sum >> 33U);
}

std::string numbered(const std::string& name, std::uint64_t number) {
    return number == 0 ? name : name + "." + std::to_string(number);
}

void known_names::add(std::string_view name) noexcept {
    try {
        if (complete_) {
            there_.insert(fingerprint_of(name.substr(0, name.find('/'))));
        }
    } catch (const std::bad_alloc&) {
        complete_ = false;
    }
}

bool known_names::lacks(std::string_view name) const noexcept {
    return complete_ && !there_.contains(fingerprint_of(name.substr(0, name.find('/'))));
}

std::optional<folder_names::claim> folder_names::take(std::string name) {
    if (remembers_ && given_.contains(fingerprint_of(name))) {
        return std::nullopt;
    }
    const auto [at, is_new] = under_way_.insert(std::move(name));
    return is_new ? std::optional(claim(*this, *at)) : std::nullopt;
}

std::uint64_t folder_names::first_number(const std::string& wanted) const {
    const auto found = next_numbers_.find(wanted);
    return found != next_numbers_.end() ? found->second : 0;
}

void folder_names::taken_up_to(const std::string& wanted, std::uint64_t number) {
    if (next_numbers_.size() == most_hints) {
        next_numbers_.clear();  // they are looked for again
    }
    next_numbers_[wanted] = number;
}

}  // namespace fetch
