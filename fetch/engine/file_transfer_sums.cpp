// SPDX-License-Identifier: MIT
// The checksums of a transfer: which ones its file must have, and whether it has them.
#include <fetch/engine/file_transfer.hpp>

#include <algorithm>

namespace fetch::detail {
namespace {

const digest* of_kind(const std::vector<digest>& all, digest_kind kind) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const digest& each) { return each.kind == kind; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

// What the file of this name must have, by its job and by the list of the run.
void file_transfer::expect_digests(const std::string& name) {
    expected_.clear();
    if (job_.checksum) {
        expected_.push_back(*job_.checksum);
    }
    listed_ = parts_.checksums.find(name);
    if (listed_ == nullptr) {
        return;
    }
    const digest* const other = of_kind(expected_, listed_->kind);
    if (other == nullptr) {
        expected_.push_back(*listed_);
    } else if (*other != *listed_) {
        fail_with(failure_kind::bad_input, "its own " + std::string(name_of(other->kind)) +
                                               " is not the one that the list of checksums has of " + name);
    }
}

std::vector<digest_kind> file_transfer::digest_kinds() const {
    std::vector<digest_kind> kinds;
    for (const digest& each : expected_) {
        kinds.push_back(each.kind);
    }
    if (parts_.how.sums && of_kind(expected_, digest_kind::sha_256) == nullptr) {
        kinds.push_back(digest_kind::sha_256);
    }
    return kinds;
}

// Of the bytes that are given from now on.
void file_transfer::begin_digests() {
    digests_.begin(digest_kinds());
}

// The bytes are there.
leat::task<> file_transfer::check_digests() {
    const std::vector<digest_kind> kinds = digest_kinds();
    if (!kinds.empty() && !digests_.are_running()) {
        digests_.begin(kinds);
        co_await file_->read_all([this](leat::byte_view bytes) { digests_.add(bytes); });
    }
    if (const std::string wrong = wrong_digest(); !wrong.empty()) {
        const bool again = resumed_ && !start_over_;
        start_over_ = true;
        fail_with(again ? failure_kind::interrupted : failure_kind::checksum, wrong);
    }
    count_listed();
}

// Of a file that is there from an earlier run, and stays.
leat::task<> file_transfer::check_kept() {
    const bool is_doubtful = parts_.how.files.take_over && !expected_.empty();
    if (listed_ != nullptr || parts_.how.sums || is_doubtful) {
        begin_digests();
        co_await parts_.folder->read(file_->name(), [this](leat::byte_view bytes) { digests_.add(bytes); });
        if (const std::string wrong = wrong_digest(); !wrong.empty()) {
            fail_with(failure_kind::checksum, "the file is there, and " + wrong);
        }
    }
    count_listed();
}

// Ends the digests, and says which one is another than is expected; empty: none.
std::string file_transfer::wrong_digest() {
    const std::vector<digest> made = digests_.end();
    for (const digest& each : expected_) {
        const digest* const its = of_kind(made, each.kind);
        if (its != nullptr && *its != each) {
            return "its " + std::string(name_of(each.kind)) + " is " + hexadecimal(*its);
        }
    }
    const digest* const sum = of_kind(made, digest_kind::sha_256);
    shown_.sum = parts_.how.sums && sum != nullptr ? std::optional(*sum) : std::nullopt;
    return {};
}

void file_transfer::count_listed() {
    if (listed_ != nullptr) {
        parts_.checksums.found(listed_);
    } else if (parts_.checksums.is_there()) {
        ++parts_.totals.unlisted;
    }
}

}  // namespace fetch::detail
