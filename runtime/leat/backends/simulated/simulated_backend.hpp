// SPDX-License-Identifier: MIT
// simulated_backend: the backend contract on a simulated network. The network only advances in collect: there
// time moves to the next event, and operations that have become possible complete. Tasks that are always
// ready delay that, but only for a bounded time.
#pragma once

#include <leat/backends/simulated/attempt.hpp>
#include <leat/backends/simulated/sockets.hpp>

#include <atomic>

namespace leat {

class simulated_backend final : public backend {
public:
    explicit simulated_backend(simulated_network& network);
    ~simulated_backend() override;

    bool submit(operation& op) override;
    file_start start_file(file_operation& op) override;
    bool cancel(operation& op) noexcept override;
    void collect(time_point deadline, list<operation>& done) override;
    void wake() noexcept override;
    void retire(int fd) noexcept override;
    void detach(descriptor_owner& owner, list<operation>& done) override;
    void detach_all() noexcept override;
    waiting_operations waiting_on(int fd) noexcept override;
    std::size_t pending() const noexcept override { return pending_; }
    bool only_wake_can_come() const noexcept override {
        return completed_.empty() && turns_.empty() && wire_.quiet() && !woken_.load();
    }
    time_point now() noexcept override { return wire_.events.now(); }
    bool wants_every_turn() const noexcept override { return true; }
    bool time_is_virtual() const noexcept override { return true; }
    std::chrono::system_clock::time_point wall_now() noexcept override;
    std::uint64_t random() noexcept override { return wire_.program_luck.draw(); }
    socket_calls& sockets() noexcept override { return sockets_; }
    std::optional<name_answer> resolve(const std::string& name) override;
    backend_description describe() const override;

private:
    using waiter = simulated_socket::waiter;

    void wait(waiter& place, operation& op) noexcept;
    void wait_behind(waiter& place, operation& op) noexcept;
    [[nodiscard]] operation& leave(waiter& place) noexcept;
    void give_turns() noexcept;
    void pass_busy_turn() noexcept;
    void look();
    void try_again(simulated_socket& socket, waiter& place);
    bool hold(operation& op);
    void end_later(simulated_socket& socket, const waiter& place);
    void drop(waiter& place) noexcept;
    void complete(operation& op) noexcept;

    // Calls on files (file_calls.cpp).
    void end_file(std::uint32_t number);
    bool cancel_file(file_operation& op) noexcept;

    simulated_network& network_;
    simulated_wire& wire_;
    simulated_sockets sockets_;
    slab_pool::owner pool_{new slab_pool};
    list<operation> completed_;  // handed over at the end of collect
    list<operation> turns_;      // of those that waited behind a cancelled one
    std::size_t completed_count_ = 0;
    std::size_t pending_ = 0;
    std::size_t busy_turns_ = 0;  // in a row, while time stood still
    std::atomic<bool> woken_ = false;
};

}  // namespace leat
