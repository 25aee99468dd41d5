// SPDX-License-Identifier: MIT
// uring_backend: the class behind uring.hpp, for its own sources only.
#pragma once

#include <leat/backends/edge_watch.hpp>
#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/readiness.hpp>
#include <leat/backends/uring_buffers.hpp>
#include <leat/backends/uring_ring.hpp>
#include <leat/core/backend.hpp>
#include <leat/fd.hpp>

#include <cstdint>
#include <vector>

namespace leat {

class uring_backend final : public backend {
public:
    explicit uring_backend(const uring_options& options);
    ~uring_backend() override;

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
    time_point now() noexcept override { return kernel_now(); }
    std::chrono::system_clock::time_point wall_now() noexcept override {
        return std::chrono::system_clock::now();
    }
    std::uint64_t random() noexcept override { return kernel_random(); }
    socket_calls& sockets() noexcept override { return sockets_; }
    bool is_quiet(int fd) noexcept override;
    backend_description describe() const override {
        return {ring_.newer_features() ? "uring" : "uring-plain", ring_.features(), ""};
    }

private:
    // How far an operation is; kept in operation::phase.
    enum phase : std::uint8_t {
        with_kernel,   // it has an entry, which the kernel may have taken
        asked_to_end,  // and another one to cancel it
        on_source,     // it has none, and waits for what the source of its descriptor brings
        on_edge,     // it has none: the kernel would try it again and again; edges_ tells when it is worth it
        to_restart,  // in restart_: it is given another entry before the next enter; or in resting_
        behind,      // it waits for a cancelled one to complete; then it is in turns_
        completed,   // in completed_
    };

    // What the low bits of user_data say of the rest of it.
    enum class tag : std::uint8_t {
        operation,  // its address
        source,     // its descriptor, shifted
        hang_up,    // the same
        file,       // the address of its operation
        wake,
        edges,
        ignored,
    };
    // What one call may put into the submission queue: retire() ends a reader, a writer, a source and a
    // watch.
    static constexpr unsigned entries_max = uring_ring::entries_min;

    static constexpr int tag_bits = 3;
    static constexpr std::uint64_t tag_mask = (1U << tag_bits) - 1;

    // A receive that stays armed and brings chunks, asked for or not, until its last completion.
    struct source {
        enum class life : std::uint8_t { none, armed, ending };

        life now = life::none;
        bool watched = false;  // the kernel is to tell of a hang-up
        bool overrun = false;  // in the list that starts with overrun_
        bool lost = false;     // its bytes will not be read
        std::int8_t calm = 0;  // how often it would have paid lately; armed when above 1
        uring_buffers::queue chunks;
        std::uint32_t at = 0;  // position of its entry in the submission queue
        int error = 0;         // what it ended with, for the next reader
        int overrun_next = -1;

        [[nodiscard]] bool engaged() const noexcept {
            return now != life::none || chunks.count != 0 || error != 0;
        }
    };

    struct descriptor_state {
        operation* reader = nullptr;
        operation* writer = nullptr;
        descriptor_owner* owner = nullptr;  // at home here
        std::uint32_t reader_at = 0;        // positions of their entries in the submission queue
        std::uint32_t writer_at = 0;
        readiness ready{.readable = false};  // whether a plain system call is likely to succeed
        bool retiring = false;
        bool by_edge = false;            // edges_ watches it, because the error it has lasts
        std::uint8_t reader_leaves = 0;  // of `leaving`: who has left `reader` and holds up the next one
        std::uint8_t writer_leaves = 0;
        source incoming;
    };

    enum leaving : std::uint8_t {
        cancelled = 1,  // the kernel has it still
        deciding = 2,   // it has completed, and has its_turn set: what it takes is not known yet
    };

    descriptor_state& state_of(int fd);
    descriptor_state& state_of(const operation& op) noexcept {
        return descriptors_[static_cast<std::size_t>(op.descriptor)];
    }
    static std::uint64_t user_data_of(const operation& op) noexcept {
        return reinterpret_cast<std::uintptr_t>(&op);
    }
    static std::uint64_t user_data_of(tag what, int fd) noexcept {
        return static_cast<std::uint64_t>(fd) << tag_bits | static_cast<std::uint64_t>(what);
    }
    static operation*& slot_of(const operation& op, descriptor_state& state) noexcept {
        return reads(op.action) ? state.reader : state.writer;
    }

    // Whether an error that lasts would make the kernel try it again and again.
    static bool transfers(const operation& op) noexcept {
        return op.action != operation_kind::readable && op.action != operation_kind::writable &&
               op.action != operation_kind::accept && op.action != operation_kind::connect;
    }
    static std::uint8_t& leaves(const operation& op, descriptor_state& state) noexcept {
        return reads(op.action) ? state.reader_leaves : state.writer_leaves;
    }

    // Entries into the submission queue (uring.cpp, uring_start.cpp).
    bool try_now(operation& op, descriptor_state& state) noexcept;
    bool worth_trying(const operation& op, const descriptor_state& state) const noexcept;
    void start(operation& op, descriptor_state& state);
    [[nodiscard]] bool brings_bytes(const operation& op) const noexcept;
    static void ask_whether_readable(io_uring_sqe& entry) noexcept;
    static void ask_whether_writable(io_uring_sqe& entry) noexcept;
    void ask_for_chunk(io_uring_sqe& entry, const descriptor_state& state) const noexcept;
    void ask_to_send_vectors(const operation& op, io_uring_sqe& entry) noexcept;
    [[nodiscard]] std::uint16_t poll_first() const noexcept {
        return ring_.newer_features() ? IORING_RECVSEND_POLL_FIRST : 0;
    }
    static bool entered(int status) noexcept;
    // Called before any decision: makes room for entries_max entries. For that the queue may have to be
    // submitted and completions reaped, which can change the state of any operation.
    void make_room() {
        if (ring_.room() < entries_max) [[unlikely]] {
            hand_over_queue();
        }
    }
    [[gnu::noinline]] void hand_over_queue();
    bool withdraw(std::uint32_t position, std::uint64_t user_data) noexcept;
    bool withdraw(const operation& op, const descriptor_state& state) noexcept;
    void ask_to_end(std::uint64_t user_data) noexcept;
    void watch_wake() noexcept;
    void watch_edges() noexcept;
    void woken(bool still_watched) noexcept;

    // Calls on files (uring_files.cpp).
    static std::uint64_t user_data_of(const file_operation& op) noexcept {
        return reinterpret_cast<std::uintptr_t>(&op) | static_cast<std::uint64_t>(tag::file);
    }
    void file_completed(file_operation& op, int result) noexcept;
    bool cancel_file(file_operation& op) noexcept;

    // Completions (uring_complete.cpp).
    void reap();
    void complete(operation& op, int result, unsigned flags);
    void received(operation& op, descriptor_state& state, int result, unsigned flags);
    void became_ready(operation& op, bool& direction, int events) noexcept;
    void ready_or_failed(operation& op, bool& direction, int result) noexcept;
    void received_chunk(operation& op, descriptor_state& state, int result, unsigned flags);
    static void note_filled(descriptor_state& state, int result, unsigned flags) noexcept;
    void sent(operation& op, descriptor_state& state, int result);
    void finish_or_go_on(operation& op, int result) noexcept;
    void restart(operation& op) noexcept;
    void go_on(operation& op) noexcept;
    [[gnu::noinline]] void rest(operation& op) noexcept;
    [[gnu::noinline]] void end_rest() noexcept;
    void look_at_edges() noexcept;
    void finish(operation& op, std::int64_t result) noexcept;
    void let_next_wait(operation& op, descriptor_state& state) noexcept;
    void pass_turn(operation& op, descriptor_state& state, leaving why) noexcept;
    void pass_turns_of_deciding() noexcept;
    void give_turns() noexcept;

    // Sources (uring_source.cpp).
    bool wait_for_source(operation& op, descriptor_state& state);
    bool arm_source(operation& first, descriptor_state& state);
    bool serve(operation& op, source& from) noexcept;
    void source_brings(int fd, int result, unsigned flags) noexcept;
    void source_has_ended(descriptor_state& state, int result) noexcept;
    void end_source(int fd, source& from) noexcept;
    void watch(int fd, source& from);
    void hung_up(int fd) noexcept;
    void note_overrun(int fd, source& from) noexcept;
    void relieve(descriptor_state& state) noexcept;
    void end_overrun() noexcept;

    void restart_all();
    [[gnu::noinline]] void keep_up() noexcept;

    // Descriptors that come and go (uring_owners.cpp).
    [[gnu::noinline]] void adopt(descriptor_owner* owner, descriptor_state& state) noexcept;
    static bool is_used(const descriptor_state& state) noexcept;
    static bool in_flight(const descriptor_state& state) noexcept;
    void settle(int fd, descriptor_state& state) noexcept;
    void give_back(descriptor_owner& owner, source& from);
    void hand_over(const descriptor_owner& owner, list<operation>& done) noexcept;
    void end_retired(operation* op, descriptor_state& state) noexcept;
    void close_if_over(int fd, descriptor_state& state) noexcept;

    uring_ring ring_;
    uring_buffers buffers_{ring_};
    fd wake_;
    kernel_sockets sockets_;
    std::vector<descriptor_state> descriptors_;  // by descriptor number
    list<operation> completed_;                  // handed over at the end of collect
    list<operation> restart_;
    list<operation> resting_;  // go to restart_ at rest_over_
    time_point rest_over_ = never;
    list<operation> turns_;  // of those that waited behind a cancelled one
    bool some_decide_ = false;
    std::size_t completed_count_ = 0;
    std::size_t pending_ = 0;
    std::size_t moved_ = 0;  // bytes, since the last look, and asked to be sent
    time_point next_upkeep_ = never;
    std::size_t sources_ = 0;  // and watches, that the kernel has, or will have
    int overrun_ = -1;         // descriptors whose source is to end: it brings too much, or they hung up
    bool crowded_ = false;     // the last turn completed more than a few operations
    bool woken_ = false;
    bool watching_wake_ = false;
    bool watching_edges_ = false;
    edge_watch edges_;
};

}  // namespace leat
