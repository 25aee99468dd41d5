// SPDX-License-Identifier: MIT
#include <leat/backends/uring.hpp>

#include <leat/backends/uring_backend.hpp>

#include <algorithm>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

namespace leat {

namespace {

constexpr std::size_t few = 2;     // completions in a turn that leave a send worth a system call of its own
constexpr std::size_t batch = 64;  // completions in a turn; of more, the first are cold when they are used
constexpr int rounds_max = 16;     // of asking for them
// So many bytes are sent at once in company, too: the call costs little beside them, they are in the
// processor's cache, and their buffer is free for the next receive.
constexpr std::size_t worth_a_call = buffer_growth::size_of(1);

}  // namespace

uring_backend::uring_backend(const uring_options& options)
    : ring_(options), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) {
        throw std::system_error(errno_code(errno), "eventfd");
    }
    make_room();
    watch_wake();
}

uring_backend::~uring_backend() {
    check(pending_ == 0, "a backend ends after its last operation");
    if (ring_.newer_features()) {
        make_room();
        io_uring_sqe& all = ring_.next();
        all.opcode = IORING_OP_ASYNC_CANCEL;
        all.cancel_flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
        all.user_data = static_cast<std::uint64_t>(tag::ignored);
    } else {
        make_room();
        ask_to_end(static_cast<std::uint64_t>(tag::wake));
        ask_to_end(static_cast<std::uint64_t>(tag::edges));
    }
    while (watching_wake_ || watching_edges_ || sources_ != 0) {
        entered(ring_.enter_and_wait(never));
        reap();
    }
}

uring_backend::descriptor_state& uring_backend::state_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= descriptors_.size()) [[unlikely]] {
        check(fd >= 0, "an operation is on an open descriptor");
        descriptors_.resize(std::max(index + 1, descriptors_.size() * 2));
    }
    return descriptors_[index];
}

bool uring_backend::submit(operation& op) {
    if (static_cast<std::size_t>(op.descriptor) >= descriptors_.size() && ::fcntl(op.descriptor, F_GETFD) < 0)
        [[unlikely]] {
        op.result = -errno;  // no reason to grow
        return true;
    }
    descriptor_state& state = state_of(op.descriptor);
    if (state.owner != op.owner) [[unlikely]] {
        adopt(op.owner, state);
    }
    operation*& waiting = slot_of(op, state);
    check(waiting == nullptr, "two tasks wait to read (or to write) on one descriptor at once");
    check(!state.retiring, "a retired descriptor is not used");
    if (op.action == operation_kind::readable && holds_bytes(state.owner)) [[unlikely]] {
        op.result = 0;
        return true;
    }
    if (leaves(op, state) != 0) [[unlikely]] {
        op.phase = behind;
        waiting = &op;
        ++pending_;
        return false;
    }
    if (state.incoming.engaged() && reads(op.action)) {
        make_room();
        if (serve(op, state.incoming)) {
            return true;
        }
        if (wait_for_source(op, state)) {
            return false;
        }
    }
    if (worth_trying(op, state) && (moved_ < bytes_of_a_turn || !is_great(op)) && try_now(op, state)) {
        return true;
    }
    make_room();
    waiting = &op;
    ++pending_;
    start(op, state);
    return false;
}

bool uring_backend::worth_trying(const operation& op, const descriptor_state& state) const noexcept {
    if (state.by_edge) [[unlikely]] {
        return transfers(op);
    }
    switch (op.action) {
        case operation_kind::accept:
        case operation_kind::recv_chunk:
        case operation_kind::recv_datagram:
        case operation_kind::recv_datagrams:
            return state.ready.readable;
        case operation_kind::recv:
            return state.ready.readable || op.length == 0;
        case operation_kind::send:
            return state.ready.writable && (!crowded_ || op.length >= worth_a_call);
        case operation_kind::send_vectors:
            return state.ready.writable && (!crowded_ || is_great(op));
        case operation_kind::send_datagram:
            return state.ready.writable && (!crowded_ || op.of_unix);
        case operation_kind::send_datagrams:
            return state.ready.writable;
        case operation_kind::connect:
        case operation_kind::readable:
        case operation_kind::writable:
        case operation_kind::file:
            return false;
    }
    return false;
}

// False when the kernel is short of memory or of room, and wants completions to be reaped.
bool uring_backend::entered(int status) noexcept {
    check(status == 0 || status == -EAGAIN || status == -EBUSY,
          "the kernel that made a ring works it, and drops no completion");
    return status == 0;
}

// Hands over a queue that is too full for what is decided next.
void uring_backend::hand_over_queue() {
    while (ring_.room() < entries_max) {
        if (!entered(ring_.enter())) {
            reap();
        }
    }
}

// True when the kernel has not taken that entry: it never will.
bool uring_backend::withdraw(std::uint32_t position, std::uint64_t user_data) noexcept {
    io_uring_sqe* const entry = ring_.unsubmitted(position);
    if (entry == nullptr || entry->user_data != user_data) {
        return false;
    }
    *entry = {};
    entry->opcode = IORING_OP_NOP;
    entry->flags = IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = static_cast<std::uint64_t>(tag::ignored);
    return true;
}

bool uring_backend::withdraw(const operation& op, const descriptor_state& state) noexcept {
    return withdraw(reads(op.action) ? state.reader_at : state.writer_at, user_data_of(op));
}

// The kernel looks for what is to end when it takes the entry, and takes entries in order: so it cannot find
// a later operation at the same address.
void uring_backend::ask_to_end(std::uint64_t user_data) noexcept {
    io_uring_sqe& entry = ring_.next();
    entry.opcode = IORING_OP_ASYNC_CANCEL;
    entry.flags = IOSQE_CQE_SKIP_SUCCESS;
    entry.addr = user_data;
    entry.user_data = static_cast<std::uint64_t>(tag::ignored);
}

bool uring_backend::cancel(operation& op) noexcept {
    op.cancel_requested = true;
    make_room();
    if (op.action == operation_kind::file) {
        return cancel_file(static_cast<file_operation&>(op));
    }
    descriptor_state& state = state_of(op);
    switch (phase{op.phase}) {
        case completed:
        case asked_to_end:
            return false;
        case on_source:
        case on_edge:
            break;
        case to_restart:
            op.unlink();
            break;
        case with_kernel:
            if (!withdraw(op, state)) {
                op.phase = asked_to_end;
                ask_to_end(user_data_of(op));
                slot_of(op, state) = nullptr;
                leaves(op, state) |= cancelled;
                return false;
            }
            break;
        case behind:
            if (op.linked()) {
                op.unlink();
            }
            break;
    }
    check(slot_of(op, state) == &op, "only a pending operation is cancelled");
    slot_of(op, state) = nullptr;
    --pending_;
    if (op.phase == on_source) {
        end_source(op.descriptor, state.incoming);
    }
    op.result = -ECANCELED;
    return true;
}

void uring_backend::collect(time_point deadline, list<operation>& done) {
    moved_ = 0;
    if (rest_over_ != never) [[unlikely]] {
        end_rest();
    }
    restart_all();
    if (edges_.descriptor() >= 0 && !watching_edges_) [[unlikely]] {
        make_room();
        watch_edges();
    }
    if (deadline != long_ago && (buffers_.may_shrink() || buffers_.pool().may_shrink())) [[unlikely]] {
        keep_up();  // which may bring completions
    }
    if (completed_count_ != 0 || !turns_.empty() || !restart_.empty() || woken_) {
        deadline = long_ago;
    }
    deadline = std::min({deadline, rest_over_, next_upkeep_});
    buffers_.top_up();
    if (deadline != long_ago) {
        entered(ring_.enter_and_wait(deadline));
    } else if (ring_.has_work()) {
        entered(ring_.enter());
    }
    reap();
    for (int round = 0;
         ring_.owed() && completed_count_ < batch && moved_ < bytes_of_a_turn && round < rounds_max;
         ++round) {
        buffers_.top_up();
        entered(ring_.enter());
        reap();
    }
    if (!watching_wake_) {
        make_room();
        watch_wake();
    }
    end_overrun();
    if (some_decide_) [[unlikely]] {
        pass_turns_of_deciding();
    }
    give_turns();
    crowded_ = completed_count_ > few;
    woken_ = false;
    pending_ -= completed_count_;
    completed_count_ = 0;
    done.append(completed_);
}

bool uring_backend::try_now(operation& op, descriptor_state& state) noexcept {
    const std::int64_t before = op.transferred;
    const bool over = attempt(op, state.ready, buffers_.pool());
    moved_ += static_cast<std::size_t>(op.transferred - before);
    return over;
}

// Before a wait: takes back, little by little, buffers that the kernel was offered and has not needed lately,
// and gives back those that nobody has needed.
void uring_backend::keep_up() noexcept {
    if (next_upkeep_ == never) {  // there are more since a moment ago
        next_upkeep_ = after(now(), slab_pool::upkeep_period);
    } else if (next_upkeep_ <= now()) {
        reap();  // so that it is known which ones it has used
        if (!ring_.owed() && buffers_.may_shrink()) {
            buffers_.shrink();
        }
        buffers_.pool().shrink();
        const bool again = buffers_.may_shrink() || buffers_.pool().may_shrink();
        next_upkeep_ = again ? after(now(), slab_pool::upkeep_period) : never;
    }
}

void uring_backend::restart_all() {
    list<operation> now;
    for (now.append(restart_); !now.empty();) {
        make_room();
        operation& op = now.pop_front();
        descriptor_state& state = state_of(op);
        if (must_wait(op, state.ready, moved_)) {
            restart(op);
        } else if (worth_trying(op, state) && try_now(op, state)) {
            finish(op, op.result);
        } else {
            start(op, state);
        }
    }
}

// Polled for every write, so that it need not be read while it is watched.
void uring_backend::watch_wake() noexcept {
    io_uring_sqe& entry = ring_.next();
    entry.opcode = IORING_OP_POLL_ADD;
    entry.fd = wake_.get();
    entry.len = ring_.newer_features() ? IORING_POLL_ADD_MULTI : 0;
    entry.poll32_events = uring_ring::poll_mask(POLLIN);
    entry.user_data = static_cast<std::uint64_t>(tag::wake);
    watching_wake_ = true;
}

void uring_backend::watch_edges() noexcept {
    io_uring_sqe& entry = ring_.next();
    entry.opcode = IORING_OP_POLL_ADD;
    entry.fd = edges_.descriptor();
    entry.poll32_events = uring_ring::poll_mask(POLLIN);
    entry.user_data = static_cast<std::uint64_t>(tag::edges);
    watching_edges_ = true;
}

void uring_backend::woken(bool still_watched) noexcept {
    woken_ = true;
    watching_wake_ = still_watched;
    if (!still_watched) {
        std::uint64_t wakes = 0;  // those that come from now on are told when it is watched again
        [[maybe_unused]] const auto size = ::read(wake_.get(), &wakes, sizeof wakes);
    }
}

void uring_backend::wake() noexcept {
    const std::uint64_t one = 1;
    // It fails only when the counter is full, which takes longer than any program runs.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

std::unique_ptr<backend> make_uring_backend(const uring_options& options) {
    return std::make_unique<uring_backend>(options);
}

}  // namespace leat
