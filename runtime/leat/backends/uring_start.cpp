// SPDX-License-Identifier: MIT
// How each kind of operation is written into an entry of the submission queue.
//
// What is to do all its bytes goes on from here with each part of them, not inside the kernel (MSG_WAITALL):
// with that an error behind some bytes, as a reset, is told to nobody, and then looks like an end of the
// stream.
//
// A message to a socket of the Unix domain that is full is lost when the kernel sends it later: it has been
// consumed by the first try (Linux 6.18, unix_dgram_sendmsg). So the kernel is only asked when there is room.
#include <leat/backends/uring_backend.hpp>

#include <algorithm>

#include <limits.h>
#include <poll.h>

namespace leat {

namespace {

constexpr std::size_t piece_max = bytes_of_a_try;  // of one entry

void pass(io_uring_sqe& entry, std::uint8_t opcode, const msghdr& message, unsigned flags) noexcept {
    entry.opcode = opcode;
    entry.addr = reinterpret_cast<std::uintptr_t>(&message);
    entry.len = 1;
    entry.msg_flags = flags;
}

// Of what is left to receive or to send.
void ask_for_piece(const operation& op, io_uring_sqe& entry, std::uint8_t opcode) noexcept {
    const auto done = static_cast<std::size_t>(op.transferred);
    entry.opcode = opcode;
    entry.addr = reinterpret_cast<std::uintptr_t>(op.buffer + done);
    entry.len = static_cast<std::uint32_t>(std::min(op.length - done, piece_max));
}

void ask_to_accept(operation& op, io_uring_sqe& entry) noexcept {
    entry.opcode = IORING_OP_ACCEPT;
    entry.accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (op.address != nullptr) {
        // The kernel writes the size of the address until it completes, so it lives in the operation.
        entry.addr = reinterpret_cast<std::uintptr_t>(op.address);
        entry.addr2 = reinterpret_cast<std::uintptr_t>(::new (&op.transferred)
                                                           socklen_t(static_cast<socklen_t>(op.length)));
    }
}

void ask_to_connect(const operation& op, io_uring_sqe& entry) noexcept {
    entry.opcode = IORING_OP_CONNECT;
    entry.addr = reinterpret_cast<std::uintptr_t>(op.address);
    entry.off = op.length;
}

}  // namespace

void uring_backend::start(operation& op, descriptor_state& state) {
    if (state.by_edge && transfers(op)) [[unlikely]] {
        op.phase = on_edge;
        if (state.ready.to_try(op.action)) {
            restart(op);  // it has done as much as one try may do
        }
        return;
    }
    if (op.action == operation_kind::recv_chunk && buffers_.shared() && !state.ready.growth.is_large() &&
        ++state.incoming.calm > 1 && arm_source(op, state)) {
        return;
    }
    if (must_wait(op, state.ready, moved_)) [[unlikely]] {
        restart(op);
        return;
    }
    io_uring_sqe& entry = ring_.next();
    (reads(op.action) ? state.reader_at : state.writer_at) = ring_.position();
    op.phase = with_kernel;
    entry.fd = op.descriptor;
    entry.user_data = user_data_of(op);
    switch (op.action) {
        case operation_kind::accept:
            ask_to_accept(op, entry);
            break;
        case operation_kind::connect:
            ask_to_connect(op, entry);
            break;
        case operation_kind::recv:
            if (!brings_bytes(op)) {
                ask_whether_readable(entry);
                break;
            }
            ask_for_piece(op, entry, IORING_OP_RECV);
            entry.ioprio = state.ready.readable ? 0 : poll_first();
            break;
        case operation_kind::recv_chunk:
            ask_for_chunk(entry, state);
            break;
        case operation_kind::recv_datagram:
            pass(entry, IORING_OP_RECVMSG, *op.message, MSG_CMSG_CLOEXEC);
            entry.ioprio = state.ready.readable ? 0 : poll_first();
            break;
        case operation_kind::send:
            ask_for_piece(op, entry, IORING_OP_SEND);
            moved_ += entry.len;
            entry.msg_flags = MSG_NOSIGNAL;
            break;
        case operation_kind::send_vectors:
            ask_to_send_vectors(op, entry);
            break;
        case operation_kind::recv_datagrams:  // io_uring has no operation for several
        case operation_kind::readable:
            ask_whether_readable(entry);
            break;
        case operation_kind::send_datagram:
            if (!op.of_unix) {
                pass(entry, IORING_OP_SENDMSG, *op.message, MSG_NOSIGNAL);
                break;
            }
            [[fallthrough]];
        case operation_kind::send_datagrams:
        case operation_kind::writable:
            ask_whether_writable(entry);
            break;
        case operation_kind::file:
            break;  // start_file()
    }
}

// Whether the kernel is to receive by itself, and not only to tell when there is something. An old one does
// all that has become possible at once, however much.
bool uring_backend::brings_bytes(const operation& op) const noexcept {
    return ring_.newer_features() || !is_great(op);
}

void uring_backend::ask_whether_readable(io_uring_sqe& entry) noexcept {
    entry.opcode = IORING_OP_POLL_ADD;
    entry.poll32_events = uring_ring::poll_mask(POLLIN | POLLRDHUP);
}

void uring_backend::ask_whether_writable(io_uring_sqe& entry) noexcept {
    entry.opcode = IORING_OP_POLL_ADD;
    entry.poll32_events = uring_ring::poll_mask(POLLOUT);
}

// Without buffers to choose from the kernel only tells when there is something. So it does where large ones
// are needed: then what is received just before its task runs is still in the processor's cache.
void uring_backend::ask_for_chunk(io_uring_sqe& entry, const descriptor_state& state) const noexcept {
    if (!buffers_.shared() || state.ready.growth.is_large()) {
        ask_whether_readable(entry);
        return;
    }
    entry.opcode = IORING_OP_RECV;
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.buf_group = uring_buffers::group;
    entry.len = slab_pool::buffer_size;
    entry.ioprio = poll_first();
}

// A long first vector goes alone, of others as many as make up a piece.
void uring_backend::ask_to_send_vectors(const operation& op, io_uring_sqe& entry) noexcept {
    if (op.length > 0 && op.vectors->iov_len >= piece_max) [[unlikely]] {
        entry.opcode = IORING_OP_SEND;
        entry.addr = reinterpret_cast<std::uintptr_t>(op.vectors->iov_base);
        entry.len = piece_max;
        entry.msg_flags = MSG_NOSIGNAL;
        moved_ += piece_max;
        return;
    }
    msghdr& message = ring_.message();
    message = {};
    message.msg_iov = op.vectors;
    const std::size_t most = std::min<std::size_t>(op.length, IOV_MAX);
    for (std::size_t bytes = 0; message.msg_iovlen < most && bytes < piece_max; ++message.msg_iovlen) {
        const std::size_t length = op.vectors[message.msg_iovlen].iov_len;
        if (length >= piece_max) {
            break;
        }
        bytes += length;
        moved_ += length;
    }
    pass(entry, IORING_OP_SENDMSG, message, MSG_NOSIGNAL);
}

}  // namespace leat
