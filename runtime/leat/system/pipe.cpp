// SPDX-License-Identifier: MIT
#include <leat/system/pipe.hpp>

#include <leat/core/pushback.hpp>
#include <leat/core/standard_streams.hpp>
#include <leat/fd.hpp>
#include <leat/io.hpp>
#include <leat/stream.hpp>

#include <algorithm>
#include <new>
#include <string>

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace leat {

namespace {

using detail::one_user;
using detail::pipe_reference;
using detail::pipe_state;

constexpr std::size_t chunk_least = 512;
constexpr std::size_t chunk_most = 65536;  // what a pipe holds, unless it was told otherwise

[[noreturn]] void fail(std::error_code error, const char* what) {
    throw std::system_error(error, what);
}

// A count, or a negated errno; -EAGAIN: it would block.
std::int64_t attempt_read(const pipe_state& pipe, std::span<std::byte> into) noexcept {
    for (;;) {
        const ssize_t size = ::read(pipe.descriptor, into.data(), into.size());
        if (size >= 0 || errno != EINTR) {
            return size >= 0 ? size : -errno;
        }
    }
}

std::int64_t attempt_write(pipe_state& pipe, std::span<const std::byte> from) noexcept {
    const auto piece = pipe.shared ? from.first(std::min<std::size_t>(from.size(), PIPE_BUF)) : from;
    for (;;) {
        const ssize_t size = detail::write_without_sigpipe(pipe.descriptor, piece);
        if (size >= 0) {
            pipe.bytes_sent += static_cast<std::uint64_t>(size);
            return size;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

// What a read or write of `pipe` gives: its count. Throws its error.
std::size_t counted(std::int64_t answer, const char* what) {
    if (answer < 0) {
        fail(errno_code(static_cast<int>(-answer)), what);
    }
    return static_cast<std::size_t>(answer);
}

void check_open(const pipe_state& pipe, const char* what) {
    if (pipe.descriptor < 0) {
        fail(stream_errc::closed, what);
    }
    if (pipe.recv_broken) {
        fail(errno_code(ENOMEM), "recv from a pipe: what a cancelled read had taken is lost");
    }
}

// Waits; another task may have closed the pipe meanwhile.
task<> wait_until_ready(pipe_state& pipe, bool for_reading, const char* what) {
    const int number = pipe.descriptor;
    const operation_kind action = for_reading ? operation_kind::readable : operation_kind::writable;
    const wait_kind& kind = for_reading ? detail::readable_kind : detail::writable_kind;
    const auto waited = co_await as_result(readiness_awaiter(kind, action, number));
    if (!waited.ok()) {
        fail(waited.error(), what);
    }
    check_open(pipe, what);
}

one_user::turn its_turn(pipe_state& pipe) noexcept {
    return {pipe.user, "two tasks use one end of a pipe at once"};
}

constexpr const char* receiving = "recv from a pipe";
constexpr const char* sending = "send to a pipe";

// Some bytes into `into`, which is not empty. A read takes nothing before it succeeds, and then at once.
task<std::size_t> read_some(pipe_state& pipe, std::span<std::byte> into) {
    check_open(pipe, receiving);
    for (bool waited = !pipe.shared;; waited = true) {
        const std::int64_t answer = waited ? attempt_read(pipe, into) : -EAGAIN;
        if (answer != -EAGAIN) {
            co_return counted(answer, receiving);
        }
        co_await wait_until_ready(pipe, true, receiving);
    }
}

task<std::size_t> write_some(pipe_state& pipe, std::span<const std::byte> from) {
    check_open(pipe, sending);
    for (bool waited = !pipe.shared;; waited = true) {
        const std::int64_t answer = waited ? attempt_write(pipe, from) : -EAGAIN;
        if (answer != -EAGAIN) {
            co_return counted(answer, sending);
        }
        co_await wait_until_ready(pipe, false, sending);
    }
}

task<std::size_t> recv_from(pipe_reference pipe, byte_buffer into) {
    co_await its_turn(*pipe);
    const one_user::use use(pipe->user);
    check_open(*pipe, receiving);
    if (pipe->returned != nullptr) {
        co_return detail::take_returned(pipe->returned, into);
    }
    co_return co_await read_some(*pipe, into);
}

// What has arrived for a recv_exactly: it goes back to the pipe if the wait for the rest is cancelled, or
// finds no memory.
struct arriving {
    pipe_state& pipe;
    std::span<std::byte> into;
    std::size_t done = 0;
    bool out_of_memory = false;

    ~arriving() {
        if ((out_of_memory || unwinding()) && pipe.descriptor >= 0) {
            try {
                detail::give_back(pipe.returned, into.first(done));
            } catch (const std::bad_alloc&) {
                pipe.recv_broken = true;
            }
        }
    }
};

task<> recv_exactly_from(pipe_reference pipe, byte_buffer into) {
    co_await its_turn(*pipe);
    const one_user::use use(pipe->user);
    check_open(*pipe, receiving);
    arriving bytes{*pipe, into};
    bytes.done = detail::take_returned(pipe->returned, bytes.into);
    try {
        while (bytes.done < bytes.into.size()) {
            const std::size_t size = co_await read_some(*pipe, bytes.into.subspan(bytes.done));
            if (size == 0) {
                throw detail::cut_short(stream_errc::end_of_stream, receiving, bytes.done, bytes.into.size());
            }
            bytes.done += size;
        }
    } catch (const std::bad_alloc&) {
        bytes.out_of_memory = true;
        throw;
    }
}

// What there is to read now, within bounds.
std::size_t size_of_next(const pipe_state& pipe) noexcept {
    int ready = 0;
    ::ioctl(pipe.descriptor, FIONREAD, &ready);
    return std::clamp<std::size_t>(static_cast<std::size_t>(ready), chunk_least, chunk_most);
}

task<chunk> recv_chunk_from(pipe_reference pipe) {
    co_await its_turn(*pipe);
    const one_user::use use(pipe->user);
    check_open(*pipe, receiving);
    if (pipe->returned != nullptr) {
        co_return std::move(*std::exchange(pipe->returned, nullptr));
    }
    for (;;) {
        co_await wait_until_ready(*pipe, true, receiving);
        const std::size_t room = size_of_next(*pipe);
        std::unique_ptr<std::byte[]> buffer(new std::byte[room]);
        const std::int64_t answer = attempt_read(*pipe, {buffer.get(), room});
        if (answer == -EAGAIN) {
            continue;
        }
        const std::size_t size = counted(answer, receiving);
        if (size == 0) {
            co_return chunk();
        }
        co_return chunk(heap_buffers, buffer.release(), 0, static_cast<std::uint32_t>(size));
    }
}

void check_whole(const pipe_state& pipe) {
    check_open(pipe, sending);
    if (pipe.send_broken) {
        fail(stream_errc::broken, sending);
    }
}

task<std::size_t> send_to(pipe_reference pipe, byte_view from) {
    co_await its_turn(*pipe);
    const one_user::use use(pipe->user);
    check_whole(*pipe);
    if (from.size() == 0) {
        co_return 0;
    }
    co_return co_await write_some(*pipe, from);
}

// What a send_all has written: cut off midway, the pipe takes no more.
struct leaving {
    pipe_state& pipe;
    std::span<const std::byte> rest;
    bool begun = false;

    ~leaving() { pipe.send_broken |= begun && !rest.empty(); }
};

task<> send_all_to(pipe_reference pipe, byte_view from) {
    co_await its_turn(*pipe);
    const one_user::use use(pipe->user);
    check_whole(*pipe);
    leaving bytes{*pipe, from};
    while (!bytes.rest.empty()) {
        const std::size_t size = co_await write_some(*pipe, bytes.rest);
        bytes.rest = bytes.rest.subspan(size);
        bytes.begun = true;
    }
}

// A duplicate, closed in children.
fd duplicate(int number) {
    fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 3));
    if (!copy) {
        throw std::system_error(errno_code(errno), "duplicating descriptor " + std::to_string(number));
    }
    return copy;
}

// A regular file never makes anybody wait: it needs no care.
bool makes_wait(int number) noexcept {
    struct stat about{};
    return ::fstat(number, &about) != 0 || !S_ISREG(about.st_mode);
}

void make_non_blocking(int number) {
    const int flags = ::fcntl(number, F_GETFL);
    if (flags < 0 || ::fcntl(number, F_SETFL, flags | O_NONBLOCK) != 0) {
        throw std::system_error(errno_code(errno),
                                "making descriptor " + std::to_string(number) + " non-blocking");
    }
}

}  // namespace

void detail::pipe_state::close() noexcept {
    check(!user.is_used_elsewhere(), "an end of a pipe that a task uses is closed by the run of that task");
    const int fd = std::exchange(descriptor, -1);
    returned.reset();
    if (fd >= 0 && this_thread.loop != nullptr) {
        this_thread.loop->io().retire(fd);
    } else if (fd >= 0) {
        ::close(fd);
    }
}

pipe_reader pipe_reader::from_fd(int fd) {
    detail::require_kernel("a pipe");
    make_non_blocking(fd);
    return {fd, false};
}

pipe_reader pipe_reader::from_shared_fd(int fd) {
    detail::require_kernel("a pipe");
    leat::fd copy = duplicate(fd);
    const bool shared = makes_wait(fd);
    pipe_reader made(copy.get(), shared);
    (void)copy.release();
    return made;
}

task<std::size_t> pipe_reader::recv(byte_buffer into) {
    detail::check_room(into.size());
    return recv_from(state(), into);
}

task<> pipe_reader::recv_exactly(byte_buffer into) {
    return recv_exactly_from(state(), into);
}

task<chunk> pipe_reader::recv_chunk() {
    return recv_chunk_from(state());
}

void pipe_reader::unread(chunk&& bytes) {
    check_open(*state(), "unread into a pipe");
    detail::check_no_receiver(state()->user.has_begun());
    detail::give_back(state()->returned, std::move(bytes));
}

pipe_writer pipe_writer::from_fd(int fd) {
    detail::require_kernel("a pipe");
    make_non_blocking(fd);
    return {fd, false};
}

pipe_writer pipe_writer::from_shared_fd(int fd) {
    detail::require_kernel("a pipe");
    leat::fd copy = duplicate(fd);
    const bool shared = makes_wait(fd);
    pipe_writer made(copy.get(), shared);
    (void)copy.release();
    return made;
}

task<std::size_t> pipe_writer::send(byte_view from) {
    return send_to(state(), from);
}

task<> pipe_writer::send_all(byte_view from) {
    return send_all_to(state(), from);
}

std::pair<pipe_reader, pipe_writer> make_pipe() {
    detail::require_kernel("a pipe");
    int both[2];
    if (::pipe2(both, O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::system_error(errno_code(errno), "pipe2");
    }
    fd out(both[0]);
    fd in(both[1]);
    pipe_reader reader(out.get(), false);
    (void)out.release();
    pipe_writer writer(in.get(), false);
    (void)in.release();
    return {std::move(reader), std::move(writer)};
}

}  // namespace leat
