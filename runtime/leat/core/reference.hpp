// SPDX-License-Identifier: MIT
// reference<State>: one of several owners of a state that counts them in `references`, beginning at 1. For
// what an object and its operations under way share. Belongs to one thread.
#pragma once

#include <utility>

namespace leat::detail {

template <typename State>
class reference {
public:
    reference() noexcept = default;
    explicit reference(State& state) noexcept : state_(&state) {}  // takes over the first one
    reference(const reference& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            ++state_->references;
        }
    }
    reference(reference&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    reference& operator=(const reference&) = delete;
    reference& operator=(reference&& other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~reference() {
        if (state_ != nullptr && --state_->references == 0) {
            delete state_;
        }
    }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    State* operator->() const noexcept { return state_; }
    State& operator*() const noexcept { return *state_; }

private:
    State* state_ = nullptr;
};

}  // namespace leat::detail
