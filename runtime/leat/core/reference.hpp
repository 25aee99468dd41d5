// SPDX-License-Identifier: MIT
// reference<State>: one of several owners of a state, which counts them in `references`, beginning at 1: what
// an object and its operations under way share, a task and its handles. The last to go deletes the state, or
// calls its destroy() if it has one. On one thread: nothing here is atomic.
#pragma once

#include <utility>

namespace leat::detail {

// For an owner that has the address of the state anyway.
template <typename State>
void add_reference(State& state) noexcept {
    ++state.references;
}
template <typename State>
void drop_reference(State& state) noexcept {
    if (--state.references == 0) {
        if constexpr (requires { state.destroy(); }) {
            state.destroy();
        } else {
            delete &state;
        }
    }
}

template <typename State>
class reference {
public:
    reference() noexcept = default;
    explicit reference(State& state) noexcept : state_(&state) {}  // takes over one that is counted
    [[nodiscard]] static reference share(State& state) noexcept {
        add_reference(state);
        return reference(state);
    }
    reference(const reference& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            add_reference(*state_);
        }
    }
    reference(reference&& other) noexcept : state_(other.release()) {}
    reference& operator=(reference other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~reference() {
        if (state_ != nullptr) {
            drop_reference(*state_);
        }
    }

    // Leaves the count to the caller.
    [[nodiscard]] State* release() noexcept { return std::exchange(state_, nullptr); }

    explicit operator bool() const noexcept { return state_ != nullptr; }
    State* get() const noexcept { return state_; }
    State* operator->() const noexcept { return state_; }
    State& operator*() const noexcept { return *state_; }

private:
    State* state_ = nullptr;
};

}  // namespace leat::detail
