// SPDX-License-Identifier: MIT
// What the kernel's completions mean for operations. Nothing here puts anything into the submission queue:
// what has to go on is put aside and started again before the next enter.
#include <leat/backends/uring_backend.hpp>

#include <poll.h>

namespace leat {

namespace {

bool was_asked_to_end(const operation& op) noexcept {
    return op.cancel_requested || op.retired;
}

// A result that is nobody's: without a request to end, the operation goes on. The third is that of a send
// that has begun to connect (TCP_FASTOPEN_CONNECT in tcp(7)).
bool says_nothing(std::int64_t result) noexcept {
    return result == -EAGAIN || result == -EINTR || result == -EINPROGRESS;
}

// Whether the descriptor of `op` has an error and nothing that `op` waits for: its queue of errors is not
// empty (recv(2), MSG_ERRQUEUE). The error itself has been told.
bool has_lasting_error(const operation& op) noexcept {
    const int awaited = reads(op.action) ? POLLIN | POLLRDHUP | POLLHUP : POLLOUT | POLLHUP;
    pollfd now{.fd = op.descriptor, .events = static_cast<short>(awaited), .revents = 0};
    return ::poll(&now, 1, 0) == 1 && (now.revents & POLLERR) != 0 && (now.revents & awaited) == 0;
}

}  // namespace

void uring_backend::reap() {
    ring_.reap([this](const io_uring_cqe& completion) {
        switch (static_cast<tag>(completion.user_data & tag_mask)) {
            case tag::operation:
                complete(*reinterpret_cast<operation*>(completion.user_data), completion.res,
                         completion.flags);
                break;
            case tag::source:
                source_brings(static_cast<int>(completion.user_data >> tag_bits), completion.res,
                              completion.flags);
                break;
            case tag::hang_up:
                hung_up(static_cast<int>(completion.user_data >> tag_bits));
                break;
            case tag::file:
                file_completed(
                    *reinterpret_cast<file_operation*>(completion.user_data & ~std::uint64_t{tag_mask}),
                    completion.res);
                break;
            case tag::wake:
                woken((completion.flags & IORING_CQE_F_MORE) != 0);
                break;
            case tag::edges:
                look_at_edges();
                break;
            case tag::ignored:
                break;
        }
    });
}

void uring_backend::complete(operation& op, int result, unsigned flags) {
    descriptor_state& state = state_of(op);
    switch (op.action) {
        case operation_kind::accept:
            state.ready.readable = result >= 0;  // connections come in bursts
            op.transferred = 0;
            finish_or_go_on(op, result);
            break;
        case operation_kind::connect:
            finish(op, result);
            break;
        case operation_kind::recv:
            received(op, state, result, flags);
            break;
        case operation_kind::recv_chunk:
            received_chunk(op, state, result, flags);
            break;
        case operation_kind::recv_datagram:
            state.ready.readable = result >= 0;  // another one may be behind it
            finish_or_go_on(op, result);
            break;
        case operation_kind::send:
        case operation_kind::send_vectors:
            sent(op, state, result);
            break;
        case operation_kind::send_datagram:
            if (op.of_unix) {
                ready_or_failed(op, state.ready.writable, result);
                break;
            }
            state.ready.writable = result >= 0;
            finish_or_go_on(op, result);
            break;
        case operation_kind::recv_datagrams:
            ready_or_failed(op, state.ready.readable, result);
            break;
        case operation_kind::send_datagrams:
            ready_or_failed(op, state.ready.writable, result);
            break;
        case operation_kind::readable:
        case operation_kind::writable:
            finish(op, result < 0 ? result : 0);
            break;
        case operation_kind::file:
            break;  // file_completed()
    }
}

void uring_backend::received(operation& op, descriptor_state& state, int result, unsigned flags) {
    if (result < 0) {
        finish_or_go_on(op, result);
        return;
    }
    if (!brings_bytes(op)) {
        became_ready(op, state.ready.readable, result);
        return;
    }
    op.transferred += result;
    moved_ += static_cast<std::size_t>(result);
    const bool full = static_cast<std::size_t>(op.transferred) == op.length;
    state.ready.readable = full || result == 0 || (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
    if (full || !op.whole || result == 0) {
        finish(op, op.transferred);
    } else if (was_asked_to_end(op)) {
        finish(op, -ECANCELED);  // what has arrived is in the buffer, counted by op.transferred
    } else {
        restart(op);
    }
}

// Nothing has been moved: it was only waited for.
void uring_backend::became_ready(operation& op, bool& direction, int events) noexcept {
    direction = true;
    if (was_asked_to_end(op)) {
        finish(op, -ECANCELED);
    } else if ((events & POLLERR) != 0) {
        go_on(op);
    } else {
        restart(op);
    }
}

void uring_backend::ready_or_failed(operation& op, bool& direction, int result) noexcept {
    if (result >= 0) {
        became_ready(op, direction, result);
    } else {
        finish_or_go_on(op, result);
    }
}

void uring_backend::received_chunk(operation& op, descriptor_state& state, int result, unsigned flags) {
    if ((flags & IORING_CQE_F_BUFFER) != 0) {
        const std::uint16_t number = buffers_.filled(flags);
        if (result > 0) [[likely]] {
            const slab_pool::lease lease = buffers_.take(number);
            state.ready.readable =
                result == slab_pool::buffer_size || (flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
            note_filled(state, result, flags);
            op.deliver(buffers_.pool(), lease.buffer, lease.index, result);
            finish(op, result);
            return;
        }
        buffers_.release(number);
    }
    if (result == -ENOBUFS && !was_asked_to_end(op)) {
        buffers_.ran_out();
        state.ready.readable = true;
        restart(op);
    } else if (result > 0 && !was_asked_to_end(op)) {
        became_ready(op, state.ready.readable, result);
    } else if (says_nothing(result) && !was_asked_to_end(op)) {
        go_on(op);
    } else {
        state.ready.readable = result == 0;
        finish(op, result > 0 || result == -ENOBUFS ? -ECANCELED : result);
    }
}

// A small buffer that the kernel chose. One that was just large enough is no reason for larger ones: the
// kernel has no choice of those.
void uring_backend::note_filled(descriptor_state& state, int result, unsigned flags) noexcept {
    if ((flags & IORING_CQE_F_SOCK_NONEMPTY) != 0) {
        state.ready.growth.note(static_cast<std::size_t>(result), slab_pool::buffer_size);
    }
}

void uring_backend::sent(operation& op, descriptor_state& state, int result) {
    if (result < 0) {
        finish_or_go_on(op, result);
        return;
    }
    op.transferred += result;
    bool all = false;
    if (op.action == operation_kind::send_vectors) {
        detail::advance_vectors(op, static_cast<std::size_t>(result));
        all = op.length == 0;
    } else {
        all = static_cast<std::size_t>(op.transferred) == op.length;
    }
    state.ready.writable = all;
    if (all || !op.whole) {
        finish(op, op.transferred);
    } else if (was_asked_to_end(op)) {
        finish(op, -ECANCELED);
    } else {
        restart(op);
    }
}

void uring_backend::finish_or_go_on(operation& op, int result) noexcept {
    if (says_nothing(result) && !was_asked_to_end(op)) {
        go_on(op);
    } else {
        finish(op, result);
    }
}

void uring_backend::restart(operation& op) noexcept {
    op.phase = to_restart;
    restart_.push_back(op);
}

// After an answer that says nothing: asked again, unless that would go on for ever.
void uring_backend::go_on(operation& op) noexcept {
    descriptor_state& state = state_of(op);
    if (transfers(op) && !state.by_edge && has_lasting_error(op)) {
        state.by_edge = edges_.add(op.descriptor) == 0;
        state.ready.always_try |= state.by_edge;  // data and the end may be told as one
        if (!state.by_edge) {
            rest(op);
            return;
        }
    }
    restart(op);
}

// Nothing tells when it is worth it: it is tried again after some time.
void uring_backend::rest(operation& op) noexcept {
    op.phase = to_restart;
    resting_.push_back(op);
    if (rest_over_ == never) {
        rest_over_ = after(now(), edge_watch::rest);
    }
}

void uring_backend::end_rest() noexcept {
    if (rest_over_ <= now()) {
        restart_.append(resting_);
        rest_over_ = never;
    }
}

void uring_backend::look_at_edges() noexcept {
    watching_edges_ = false;
    edges_.take([this](int fd, std::uint32_t /*events*/) {
        descriptor_state& state = descriptors_[static_cast<std::size_t>(fd)];
        for (operation* const waiting : {state.reader, state.writer}) {
            if (waiting != nullptr && waiting->phase == on_edge) {
                restart(*waiting);
            }
        }
    });
}

void uring_backend::finish(operation& op, std::int64_t result) noexcept {
    op.result = was_asked_to_end(op) && says_nothing(result) ? -ECANCELED : result;
    op.phase = completed;
    completed_.push_back(op);
    ++completed_count_;
    descriptor_state& state = state_of(op);
    if (op.its_turn) [[unlikely]] {
        let_next_wait(op, state);
    }
    if (operation*& place = slot_of(op, state); place == &op) [[likely]] {
        place = nullptr;
    } else {
        pass_turn(op, state, cancelled);
    }
    if (state.retiring) [[unlikely]] {
        close_if_over(op.descriptor, state);
    }
}

// It decides when it is handed over. Who comes until then waits behind it.
void uring_backend::let_next_wait(operation& op, descriptor_state& state) noexcept {
    leaves(op, state) |= deciding;
    some_decide_ = true;
}

// It has left its place before. Who waits behind it stays there until all that has completed is handed over.
void uring_backend::pass_turn(operation& op, descriptor_state& state, leaving why) noexcept {
    if ((leaves(op, state) & why) == 0) {
        return;
    }
    leaves(op, state) &= static_cast<std::uint8_t>(~why);
    if (operation* const next = slot_of(op, state); next != nullptr && leaves(op, state) == 0) {
        turns_.push_back(*next);
    }
}

void uring_backend::pass_turns_of_deciding() noexcept {
    some_decide_ = false;
    for (operation* op = completed_.first(); op != nullptr; op = completed_.next(*op)) {
        if (op->its_turn) {
            pass_turn(*op, state_of(*op), deciding);
        }
    }
}

void uring_backend::give_turns() noexcept {
    while (!turns_.empty()) {
        operation& op = turns_.pop_front();
        slot_of(op, state_of(op)) = nullptr;
        op.phase = with_kernel;
        op.its_turn = true;
        completed_.push_back(op);
        ++completed_count_;
    }
}

}  // namespace leat
