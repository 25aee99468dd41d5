// SPDX-License-Identifier: MIT
// counting_backend: wraps another backend and counts its operations and bytes. It is used only in runs that
// count, so that others pay nothing.
#pragma once

#include <leat/core/backend.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace leat::detail {

struct operation_counts {
    std::array<std::uint64_t, operation_kinds> by_kind{};  // submitted
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

[[nodiscard]] const char* name_of(operation_kind kind) noexcept;

class counting_backend final : public backend {
public:
    explicit counting_backend(std::unique_ptr<backend> counted) noexcept : inner_(std::move(counted)) {}

    [[nodiscard]] const operation_counts& counts() const noexcept { return counts_; }

    bool submit(operation& op) override;
    file_start start_file(file_operation& op) override;
    bool cancel(operation& op) noexcept override;
    void collect(time_point deadline, list<operation>& done) override;
    void wake() noexcept override { inner_->wake(); }
    void retire(int fd) noexcept override { inner_->retire(fd); }
    void detach(descriptor_owner& owner, list<operation>& done) override { inner_->detach(owner, done); }
    void detach_all() noexcept override { inner_->detach_all(); }
    bool is_home_of(const descriptor_owner& owner) const noexcept override {
        return inner_->is_home_of(owner);
    }
    waiting_operations waiting_on(int fd) noexcept override { return inner_->waiting_on(fd); }
    std::size_t pending() const noexcept override { return inner_->pending(); }
    bool only_wake_can_come() const noexcept override { return inner_->only_wake_can_come(); }
    time_point now() noexcept override { return inner_->now(); }
    bool wants_every_turn() const noexcept override { return inner_->wants_every_turn(); }
    bool time_is_virtual() const noexcept override { return inner_->time_is_virtual(); }
    std::chrono::system_clock::time_point wall_now() noexcept override { return inner_->wall_now(); }
    std::uint64_t random() noexcept override { return inner_->random(); }
    socket_calls& sockets() noexcept override { return inner_->sockets(); }
    bool is_quiet(int fd) noexcept override { return inner_->is_quiet(fd); }
    std::optional<name_answer> resolve(const std::string& name) override { return inner_->resolve(name); }
    backend_description describe() const override { return inner_->describe(); }

private:
    void add_bytes(const operation& completed) noexcept;

    std::unique_ptr<backend> inner_;
    operation_counts counts_;
};

}  // namespace leat::detail
