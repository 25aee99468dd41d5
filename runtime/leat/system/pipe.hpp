// SPDX-License-Identifier: MIT
// pipe_reader and pipe_writer: the ends of pipes, and the standard streams of this process, as the two halves
// of a byte stream. The pipes of child processes (process.hpp) are these. They own their descriptor. While a
// task uses one, it belongs to the scheduler of that task; otherwise to none.
//
// SIGPIPE is never raised: a write into a pipe that nobody reads fails with errc::broken_pipe.
#pragma once

#include <leat/bytes.hpp>
#include <leat/chunk.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/one_user.hpp>
#include <leat/core/reference.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace leat {

namespace detail {

// Shared by the owner of an end and the operations under way on it. If the owner is destroyed, the operations
// under way fail as after a close.
struct pipe_state : frame_pool::allocated {
    pipe_state(int fd, bool is_shared) noexcept : descriptor(fd), shared(is_shared) {}

    void close() noexcept;

    int descriptor;  // -1 once closed
    std::uint32_t references = 1;
    bool shared;  // others use the same open file description and expect it to block
    bool send_broken = false;
    bool recv_broken = false;  // what a cancelled read had taken is lost
    std::uint64_t bytes_sent = 0;
    std::unique_ptr<chunk> returned;  // pushback.hpp
    one_user user;
};

using pipe_reference = reference<pipe_state>;

// What both ends have.
class pipe_end {
public:
    pipe_end() noexcept = default;
    pipe_end(pipe_end&& other) noexcept = default;
    pipe_end& operator=(pipe_end&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~pipe_end() { close(); }

    // An operation under way ends with operation_canceled, then the descriptor closes. Later operations fail
    // with stream_errc::closed.
    void close() noexcept {
        if (state_) {
            state_->close();
        }
    }
    [[nodiscard]] bool is_open() const noexcept { return state_ && state_->descriptor >= 0; }
    // The descriptor, for what leat does not offer; -1 when closed. It stays this end's. Code that reads from
    // it, or waits for it by readable(), misses what a cancelled read gave back.
    [[nodiscard]] int native_handle() const noexcept { return is_open() ? state_->descriptor : -1; }

protected:
    pipe_end(int fd, bool shared) : state_(*new pipe_state(fd, shared)) {}
    [[nodiscard]] const pipe_reference& state() const noexcept {
        check(static_cast<bool>(state_), "the end of a pipe was moved from, or never opened");
        return state_;
    }

private:
    pipe_reference state_;
};

}  // namespace detail

// The end that is read from.
class pipe_reader : public detail::pipe_end {
public:
    pipe_reader() noexcept = default;
    // Takes over a descriptor that can be read from, and makes it non-blocking, for all who share its open
    // file description. Throws std::system_error; then the descriptor is still the caller's.
    [[nodiscard]] static pipe_reader from_fd(int fd);
    // A duplicate of a descriptor whose open file description belongs to others as well, such as a terminal:
    // its flags are left alone, and it is read only after a wait has said that something is there. If
    // another process takes that first, the read blocks this thread until there is more.
    [[nodiscard]] static pipe_reader from_shared_fd(int fd);
    // The standard input of this process, which the parent process and others may use as well.
    [[nodiscard]] static pipe_reader standard_input() { return from_shared_fd(0); }

    // Receives some bytes: at least one, or 0 at the end, when all writers have closed. The buffer stays
    // alive and untouched until then; an empty one is misuse. Cancelled: nothing was taken from the pipe.
    [[nodiscard]] task<std::size_t> recv(byte_buffer into);
    // Fills the buffer, or throws stream_errc::end_of_stream saying how much arrived. Cancelled, and after
    // std::bad_alloc: what had arrived is given back, and the next read sees it. If there is no memory for
    // that, or it is 4 GiB or more, it is lost, and all later reads fail with std::errc::not_enough_memory.
    [[nodiscard]] task<> recv_exactly(byte_buffer into);
    // Receives at least one byte in a buffer of the library's, or an empty chunk at the end. While it waits
    // there is no buffer. Cancelled: nothing was taken from the pipe.
    [[nodiscard]] task<chunk> recv_chunk();
    // The next receive gets `bytes` first. Misuse while a task receives. Throws std::bad_alloc, or
    // stream_errc::closed; then nothing has changed, `bytes` neither.
    void unread(chunk&& bytes);

private:
    friend std::pair<class pipe_reader, class pipe_writer> make_pipe();
    using pipe_end::pipe_end;
};

// The end that is written to.
class pipe_writer : public detail::pipe_end {
public:
    pipe_writer() noexcept = default;
    // As those of pipe_reader. A shared one is written in pieces of at most PIPE_BUF (4096) bytes, each after
    // a wait has said that a pipe takes that many without blocking. A terminal that was stopped may block.
    [[nodiscard]] static pipe_writer from_fd(int fd);
    [[nodiscard]] static pipe_writer from_shared_fd(int fd);
    [[nodiscard]] static pipe_writer standard_output() { return from_shared_fd(1); }
    [[nodiscard]] static pipe_writer standard_error() { return from_shared_fd(2); }

    // Sends some bytes: gives how many the pipe took, at least one unless there were none. The bytes stay
    // alive and unchanged until then. Throws errc::broken_pipe when nobody reads. Cancelled: nothing was
    // sent.
    [[nodiscard]] task<std::size_t> send(byte_view from);
    // Sends all. Cancelled at zero bytes: nothing was sent. Cancelled or failed midway: bytes_sent() tells
    // how much went out, and later sends fail with stream_errc::broken.
    [[nodiscard]] task<> send_all(byte_view from);
    // What has been written on this end so far.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return state()->bytes_sent; }

private:
    friend std::pair<class pipe_reader, class pipe_writer> make_pipe();
    using pipe_end::pipe_end;
};

// A new pipe (pipe2(2)), both ends non-blocking and closed in children. Throws std::system_error.
[[nodiscard]] std::pair<pipe_reader, pipe_writer> make_pipe();

}  // namespace leat
