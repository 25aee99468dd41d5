// SPDX-License-Identifier: MIT
// How what is kept under a number begins and ends: the first operation of its owner, its close, and its way
// to another run. Whoever gives up a number waits for the last completion of what the kernel does for it,
// which decides what was received; that runs nobody.
#include <leat/backends/uring_backend.hpp>

#include <leat/core/pushback.hpp>

#include <cstring>

namespace leat {

namespace {

// Closing it sends a reset, as if the bytes were still with the kernel. Sockets of other families ignore it.
void reset_on_close(int fd) noexcept {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace

// The first operation of an owner here. One that had the number before and still is at home here has lost it:
// it was closed behind its back.
void uring_backend::adopt(descriptor_owner* owner, descriptor_state& state) noexcept {
    if (owner == nullptr) {
        return;  // readable() of a descriptor that a socket has
    }
    owner->check_home(nullptr);
    make_room();
    if (descriptor_owner* const before = state.owner) {
        before->home = nullptr;
        before->descriptor = -1;
        end_retired(state.reader, state);
        end_retired(state.writer, state);
        settle(owner->descriptor, state);
        buffers_.clear(state.incoming.chunks);
        state = {};
    }
    state.owner = owner;
    owner->home = this;
}

// Whether operations have the socket open, those that were cancelled and have not ended, too.
bool uring_backend::is_used(const descriptor_state& state) noexcept {
    return state.reader != nullptr || state.writer != nullptr ||
           ((state.reader_leaves | state.writer_leaves) & cancelled) != 0;
}

bool uring_backend::in_flight(const descriptor_state& state) noexcept {
    return is_used(state) || state.incoming.now != source::life::none || state.incoming.watched;
}

// Ends what the kernel does for `fd`, of which the operations have been asked to end, and waits for that.
void uring_backend::settle(int fd, descriptor_state& state) noexcept {
    end_source(fd, state.incoming);
    if (state.incoming.watched) {
        ask_to_end(user_data_of(tag::hang_up, fd));
    }
    while (in_flight(state)) {
        entered(ring_.enter_and_wait(never));
        reap();
    }
    if (state.incoming.overrun) {
        end_overrun();
    }
}

void uring_backend::retire(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= descriptors_.size()) {
        ::close(fd);
        return;
    }
    make_room();
    descriptor_state& state = descriptors_[index];
    if (descriptor_owner* const owner = std::exchange(state.owner, nullptr)) {
        owner->home = nullptr;
    }
    if (state.by_edge) {
        edges_.remove(fd);
    }
    state.retiring = true;
    ++pending_;
    state.incoming.lost |= state.incoming.chunks.count != 0;
    buffers_.clear(state.incoming.chunks);
    end_retired(state.reader, state);
    end_retired(state.writer, state);
    if (is_used(state)) {
        settle(fd, state);  // they have the socket open: a name that it is bound to is not free until then
    } else {
        end_source(fd, state.incoming);
        if (state.incoming.watched) {
            ask_to_end(user_data_of(tag::hang_up, fd));
        }
    }
    close_if_over(fd, state);
}

void uring_backend::end_retired(operation* op, descriptor_state& state) noexcept {
    if (op == nullptr) {
        return;
    }
    op->retired = !op->cancel_requested;
    switch (phase{op->phase}) {
        case completed:
        case asked_to_end:
            break;
        case on_source:
        case on_edge:
            finish(*op, -ECANCELED);
            break;
        case to_restart:
            op->unlink();
            finish(*op, -ECANCELED);
            break;
        case with_kernel:
            if (withdraw(*op, state)) {
                finish(*op, -ECANCELED);
            } else {
                op->phase = asked_to_end;
                ask_to_end(user_data_of(*op));
            }
            break;
        case behind:
            if (op->linked()) {
                op->unlink();
            }
            finish(*op, -ECANCELED);
            break;
    }
}

void uring_backend::close_if_over(int fd, descriptor_state& state) noexcept {
    if (state.retiring && !in_flight(state) && !state.incoming.overrun) {
        if (state.incoming.lost) {
            reset_on_close(fd);
        }
        state = {};
        --pending_;
        ::close(fd);
    }
}

// Moves what was received ahead to its owner. Throws std::bad_alloc; then all of it is still in the queue.
void uring_backend::give_back(descriptor_owner& owner, source& from) {
    const std::size_t size = buffers_.size(from.chunks);
    if (size == 0) {
        return;
    }
    std::span<std::byte> room = detail::give_back_room(owner.returned, size);
    while (from.chunks.count != 0) {
        const std::span<std::byte> unread = buffers_.front(from.chunks);
        std::memcpy(room.data(), unread.data(), unread.size());
        room = room.subspan(unread.size());
        buffers_.consume(from.chunks, unread.size());
    }
}

void uring_backend::detach(descriptor_owner& owner, list<operation>& done) {
    owner.check_home(this);
    make_room();
    descriptor_state& state = descriptors_[static_cast<std::size_t>(owner.descriptor)];
    check(state.reader == nullptr && state.writer == nullptr, "nobody waits on a socket that is detached");
    settle(owner.descriptor, state);
    hand_over(owner, done);
    give_back(owner, state.incoming);
    if (const int error = state.incoming.error; error != 0) {
        owner.ended_by = static_cast<std::uint8_t>(-error);
    }
    if (state.by_edge) {
        edges_.remove(owner.descriptor);
    }
    state = {};
    owner.home = nullptr;
}

// What has completed of the owner's operations.
void uring_backend::hand_over(const descriptor_owner& owner, list<operation>& done) noexcept {
    for (operation* next = completed_.first(); next != nullptr;) {
        operation& op = *next;
        next = completed_.next(op);
        if (op.owner == &owner) {
            op.unlink();
            done.push_back(op);
            --completed_count_;
            --pending_;
        }
    }
}

void uring_backend::detach_all() noexcept {
    list<operation> none;
    for (descriptor_state& state : descriptors_) {
        descriptor_owner* const owner = state.owner;
        if (owner == nullptr) {
            continue;
        }
        try {
            detach(*owner, none);
        } catch (const std::bad_alloc&) {
            retire(std::exchange(owner->descriptor, -1));
        }
    }
}

}  // namespace leat
