// SPDX-License-Identifier: MIT
// Sources: receives that stay armed (multishot) and bring a chunk each time there is data. They save the
// submission and the arming of each receive.
//
//   * A source brings data whether somebody reads or not; what nobody waits for is queued under the
//     descriptor, in order. Every read takes from the queue first. While a source lives nothing else may
//     receive from its descriptor, or bytes would change places: readers wait for it, without an entry of
//     their own, so cancelling them is local. It ends when its reader is cancelled: what arrives then stays
//     with the kernel, for whoever has the socket too, and for a peer to be told when it is closed unread.
//   * When the queue grows beyond chunks_max the source is ended, and the rest stays with the kernel, and so
//     with the peer. After that, and after a read into a buffer of the reader's own, it takes a while until
//     one is armed again: plain receives are better for a stream of bulk data.
//   * A reset behind data may not be told by the source: what has happened when the data is taken makes no
//     event of its own (liburing issue 1549). So a poll for nothing but a hang-up goes with it, and ends it:
//     the plain receive that follows sees what is left, and the reset.
//   * It ends with the end of the stream, an error, or when the kernel finds no buffer or no room for its
//     completion; the next reader begins anew.
#include <leat/backends/uring_backend.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

namespace leat {

namespace {

constexpr std::uint16_t chunks_max = 8;
constexpr std::int8_t calm_after_bulk = -15;
constexpr std::int8_t calm_when_unsuitable = INT8_MIN;

// On AF_UNIX, kernels before 2026 may miss an end that comes right behind data (liburing issue 1549).
bool suits_a_source(int fd) noexcept {
    int family = 0;
    socklen_t size = sizeof family;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
           (family == AF_INET || family == AF_INET6);
}

}  // namespace

// For a receive of a chunk that has to wait. False: it needs an entry of its own.
bool uring_backend::arm_source(operation& first, descriptor_state& state) {
    if (!suits_a_source(first.descriptor)) {
        state.incoming.calm = calm_when_unsuitable;
        return false;
    }
    first.phase = on_source;
    io_uring_sqe& entry = ring_.next();
    entry.opcode = IORING_OP_RECV;
    entry.fd = first.descriptor;
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.buf_group = uring_buffers::group;
    // Not POLL_FIRST, though data is rarely there: what stands there, a reset behind it too, is seen at once.
    entry.ioprio = IORING_RECV_MULTISHOT;
    entry.user_data = user_data_of(tag::source, first.descriptor);
    state.incoming.at = ring_.position();
    state.incoming.now = source::life::armed;
    state.incoming.calm = 1;
    ++sources_;
    watch(first.descriptor, state.incoming);
    return true;
}

// Error, hang-up and the peer's end are told to who asks for no event at all.
void uring_backend::watch(int fd, source& from) {
    if (from.watched) {
        return;
    }
    io_uring_sqe& entry = ring_.next();
    entry.opcode = IORING_OP_POLL_ADD;
    entry.fd = fd;
    entry.user_data = user_data_of(tag::hang_up, fd);
    from.watched = true;
    ++sources_;
}

void uring_backend::hung_up(int fd) noexcept {
    descriptor_state& state = descriptors_[static_cast<std::size_t>(fd)];
    state.incoming.watched = false;
    --sources_;
    if (state.retiring) {
        close_if_over(fd, state);
    } else if (state.incoming.now == source::life::armed) {
        note_overrun(fd, state.incoming);
    }
}

// False when there is none any more. True: `op` waits for what it brings.
bool uring_backend::wait_for_source(operation& op, descriptor_state& state) {
    source& from = state.incoming;
    if (op.action == operation_kind::recv || op.action == operation_kind::recv_datagram ||
        op.action == operation_kind::recv_datagrams) {
        from.calm = calm_after_bulk;
        end_source(op.descriptor, from);
    }
    if (from.now == source::life::none) {
        return false;
    }
    op.phase = on_source;
    slot_of(op, state) = &op;
    ++pending_;
    return true;
}

// Does as much of `op` as the queue allows. True: it is complete.
bool uring_backend::serve(operation& op, source& from) noexcept {
    switch (op.action) {
        case operation_kind::recv_chunk:
            if (from.chunks.count != 0) {
                const std::size_t size = buffers_.front(from.chunks).size();
                const slab_pool::lease lease = buffers_.take_front(from.chunks);
                op.deliver(buffers_.pool(), lease.buffer, lease.index, static_cast<std::int64_t>(size));
                return true;
            }
            break;
        case operation_kind::recv: {
            auto done = static_cast<std::size_t>(op.transferred);
            while (from.chunks.count != 0 && done < op.length) {
                const std::span<std::byte> unread = buffers_.front(from.chunks);
                const std::size_t count = std::min(unread.size(), op.length - done);
                std::memcpy(op.buffer + done, unread.data(), count);
                buffers_.consume(from.chunks, count);
                done += count;
            }
            op.transferred = static_cast<std::int64_t>(done);
            if (done == op.length || (done != 0 && !op.whole)) {
                op.result = op.transferred;
                return true;
            }
            break;
        }
        case operation_kind::recv_datagram:
        case operation_kind::recv_datagrams:
            break;
        case operation_kind::readable:
            op.result = 0;
            return from.chunks.count != 0 || from.error != 0;
        case operation_kind::accept:
        case operation_kind::connect:
        case operation_kind::send:
        case operation_kind::send_vectors:
        case operation_kind::send_datagram:
        case operation_kind::send_datagrams:
        case operation_kind::writable:
        case operation_kind::file:
            return false;
    }
    if (from.error != 0) {
        op.result = std::exchange(from.error, 0);
        return true;
    }
    return false;
}

// A completion of the source of `fd`.
void uring_backend::source_brings(int fd, int result, unsigned flags) noexcept {
    descriptor_state& state = descriptors_[static_cast<std::size_t>(fd)];
    source& from = state.incoming;
    if ((flags & IORING_CQE_F_BUFFER) != 0) [[likely]] {
        const std::uint16_t number = buffers_.filled(flags);
        if (result > 0 && !state.retiring) [[likely]] {
            note_filled(state, result, flags);
            buffers_.push(from.chunks, number, static_cast<std::uint32_t>(result));
        } else {
            from.lost |= result > 0;
            buffers_.release(number);
        }
    }
    const bool over = (flags & IORING_CQE_F_MORE) == 0;
    if (over) [[unlikely]] {
        source_has_ended(state, result);
    }
    if (operation* const reader = state.reader; reader != nullptr && reader->phase == on_source) {
        if (serve(*reader, from)) {
            finish(*reader, reader->result);
        } else if (over && result == 0) {
            finish(*reader, reader->transferred);
        } else if (over) {
            go_on(*reader);
        }
    }
    const bool too_much =
        (from.chunks.count > chunks_max || state.ready.growth.is_large()) && from.now == source::life::armed;
    if (too_much || (from.chunks.count != 0 && buffers_.scarce())) [[unlikely]] {
        note_overrun(fd, from);
    }
    if (state.retiring) [[unlikely]] {
        close_if_over(fd, state);
    }
}

bool uring_backend::is_quiet(int fd) noexcept {
    reap();  // the kernel may have taken it from the socket while a full queue was handed over
    const auto at = static_cast<std::size_t>(fd);
    const bool nothing_queued = at >= descriptors_.size() || (descriptors_[at].incoming.chunks.count == 0 &&
                                                              descriptors_[at].incoming.error == 0);
    return nothing_queued && sockets_.is_quiet(fd);
}

waiting_operations uring_backend::waiting_on(int fd) noexcept {
    reap();  // one whose completion is there does not wait
    const auto at = static_cast<std::size_t>(fd);
    return at < descriptors_.size() ? waiting_operations{descriptors_[at].reader, descriptors_[at].writer}
                                    : waiting_operations{};
}

void uring_backend::source_has_ended(descriptor_state& state, int result) noexcept {
    state.incoming.now = source::life::none;
    --sources_;
    switch (-result) {
        case ENOBUFS:
            buffers_.ran_out();
            [[fallthrough]];
        case 0:
        case ECANCELED:
            state.ready.readable = true;  // what has not been received is still there, and so is the end
            break;
        case EAGAIN:
        case EINTR:
            break;
        default:
            state.incoming.error = std::min(result, 0);
    }
}

void uring_backend::end_source(int fd, source& from) noexcept {
    if (from.now != source::life::armed) {
        return;
    }
    if (withdraw(from.at, user_data_of(tag::source, fd))) {
        from.now = source::life::none;
        --sources_;
    } else {
        from.now = source::life::ending;
        ask_to_end(user_data_of(tag::source, fd));
    }
}

void uring_backend::note_overrun(int fd, source& from) noexcept {
    if (!from.overrun) {
        from.overrun = true;
        from.overrun_next = overrun_;
        overrun_ = fd;
    }
}

void uring_backend::end_overrun() noexcept {
    while (overrun_ >= 0) {
        make_room();
        const int fd = overrun_;
        descriptor_state& state = descriptors_[static_cast<std::size_t>(fd)];
        overrun_ = state.incoming.overrun_next;
        state.incoming.overrun = false;
        state.incoming.calm = calm_after_bulk;
        end_source(fd, state.incoming);
        relieve(state);
        close_if_over(fd, state);
    }
}

// What nobody reads must not use up the buffers that all share, however many streams there are: when these
// are scarce its owner keeps it in memory of its own.
void uring_backend::relieve(descriptor_state& state) noexcept {
    if (!buffers_.scarce() || state.owner == nullptr) {
        return;
    }
    try {
        give_back(*state.owner, state.incoming);
    } catch (const std::bad_alloc&) {  // it stays where it is
    }
}

}  // namespace leat
