// SPDX-License-Identifier: MIT
// folder_names: which names in the output folder belong to transfers of this run: those under way, and, where
// it matters whether a file is of this run, a fingerprint of each that was given. For output_folder.
// Invariant: no two claims have one name. Memory is for the names under way, eight bytes for each
// fingerprint, and a bounded number of hints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace fetch {

// A set of 64-bit numbers: at most 24 bytes for each, but for its first 64 places.
class fingerprint_set {
public:
    // False: it was there.
    bool insert(std::uint64_t fingerprint);
    [[nodiscard]] bool contains(std::uint64_t fingerprint) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    [[nodiscard]] std::size_t place_of(std::uint64_t fingerprint) const noexcept;
    void grow();

    std::vector<std::uint64_t> places_;  // 0: free
    std::size_t size_ = 0;
};

[[nodiscard]] std::uint64_t fingerprint_of(std::string_view name) noexcept;
// "name", "name.1", "name.2" ...
[[nodiscard]] std::string numbered(const std::string& name, std::uint64_t number);

// Which names were in the folder when the run began, or came into it with what its transfers have left: a
// name whose first part is not among them need not be looked for.
class known_names {
public:
    // Not complete: all names may be there.
    known_names() noexcept = default;
    explicit known_names(bool complete) noexcept : complete_(complete) {}

    void add(std::string_view name) noexcept;
    [[nodiscard]] bool lacks(std::string_view name) const noexcept;

private:
    bool complete_ = false;
    fingerprint_set there_;
};

class folder_names {
public:
    // A name that a transfer has for itself as long as this lives; it dies before the folder_names.
    class claim {
    public:
        claim() noexcept = default;
        claim(claim&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), name_(std::exchange(other.name_, nullptr)) {}
        claim& operator=(claim&& other) noexcept {
            std::swap(of_, other.of_);
            std::swap(name_, other.name_);
            return *this;
        }
        ~claim() {
            if (of_ != nullptr) {
                of_->under_way_.erase(*name_);
            }
        }
        [[nodiscard]] const std::string& name() const noexcept { return *name_; }
        [[nodiscard]] bool is_held() const noexcept { return of_ != nullptr; }

    private:
        friend class folder_names;
        claim(folder_names& of, const std::string& name) noexcept : of_(&of), name_(&name) {}

        folder_names* of_ = nullptr;
        const std::string* name_ = nullptr;
    };

    // `remembers`: a name that was given is not given again after its transfer has ended.
    explicit folder_names(bool remembers) noexcept : remembers_(remembers) {}
    folder_names(const folder_names&) = delete;
    folder_names& operator=(const folder_names&) = delete;

    // Nothing when it is another transfer's.
    [[nodiscard]] std::optional<claim> take(std::string name);
    // The transfer has decided for its name.
    void remember(std::string_view name) {
        if (remembers_) {
            given_.insert(fingerprint_of(name));
        }
    }

    // The first number of `wanted` that is worth a look: those before it are taken for good.
    [[nodiscard]] std::uint64_t first_number(const std::string& wanted) const;
    void taken_up_to(const std::string& wanted, std::uint64_t number);

private:
    bool remembers_;
    std::unordered_set<std::string> under_way_;
    fingerprint_set given_;
    std::unordered_map<std::string, std::uint64_t> next_numbers_;
};

}  // namespace fetch
