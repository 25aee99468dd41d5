// SPDX-License-Identifier: MIT
#include <leat/socket.hpp>

#include <leat/backends/backend.hpp>
#include <leat/returned_bytes.hpp>

#include <string>

#include <fcntl.h>

namespace leat {

namespace detail {

void socket_state::close() noexcept {
    const int fd = std::exchange(descriptor, -1);
    returned.reset();
    if (fd >= 0 && this_thread.loop != nullptr) {
        this_thread.loop->io().retire(fd);
    } else if (fd >= 0) {
        close_descriptor(fd);
    }
}

void socket_state::give_back(const std::byte* bytes, std::size_t count) {
    detail::give_back(returned, {bytes, count});
}

chunk socket_state::take_returned() noexcept {
    chunk all = std::move(*returned);
    returned.reset();
    return all;
}

socket_calls& calls() {
    return current_scheduler().io().sockets();
}

void set_int_option(int fd, int level, int name, int value, const char* what) {
    calls().set_option(fd, level, name, std::as_bytes(std::span(&value, 1))).value(what);
}

endpoint local_endpoint_of(int fd) {
    sockaddr_storage storage{};
    const socklen_t size = calls().local_address(fd, storage).value("local_endpoint");
    return endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

endpoint remote_endpoint_of(int fd) {
    sockaddr_storage storage{};
    const result<socklen_t> size = calls().remote_address(fd, storage);
    return size.ok() && (storage.ss_family == AF_INET || storage.ss_family == AF_INET6)
               ? endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), *size)
               : endpoint();
}

void make_non_blocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        throw std::system_error(errno_code(errno), "from_fd");
    }
}

std::error_code socket_awaiter::error() const noexcept {
    if (operation::result == is_closed) {
        return stream_errc::closed;
    }
    if (operation::result == is_broken) {
        return stream_errc::broken;
    }
    socket_->was_reset |= operation::result == -ECONNRESET;
    return errno_code(static_cast<int>(-operation::result));
}

void socket_awaiter::fail(const char* what) const {
    throw std::system_error(error(), what + socket_->remote.to_string());
}

}  // namespace detail

bool recv_awaiter::await_ready() {
    if ((length == 0 || socket_->returned != nullptr) && !cancelled()) [[unlikely]] {
        return end_with(
            static_cast<std::int64_t>(detail::take_returned(socket_->returned, {buffer, length})));
    }
    return begin();
}

leat::result<std::size_t> recv_awaiter::take() noexcept {
    end_by_reset(operation::result == 0 && length != 0);
    return operation::result >= 0 ? count() : leat::result<std::size_t>(error());
}

std::size_t recv_awaiter::await_resume() {
    end_by_reset(operation::result == 0 && length != 0);
    if (operation::result < 0) [[unlikely]] {
        fail("recv from ");
    }
    return static_cast<std::size_t>(operation::result);
}

bool recv_exactly_awaiter::await_ready() {
    if (!cancelled()) {
        before_ = detail::take_returned(socket_->returned, whole_);
    }
    buffer = whole_.data() + before_;
    length = whole_.size() - before_;
    return length == 0 ? end_with(0) : begin();
}

recv_exactly_awaiter::~recv_exactly_awaiter() {
    if (end == wait_end::cancelled && socket_->descriptor >= 0) {
        socket_->give_back(whole_.data(), before_ + static_cast<std::size_t>(transferred));
    }
}

leat::result<void> recv_exactly_awaiter::take() noexcept {
    end_by_reset(operation::result >= 0 && static_cast<std::size_t>(operation::result) < length);
    if (operation::result < 0) {
        return error();
    }
    return static_cast<std::size_t>(operation::result) == length
               ? leat::result<void>()
               : leat::result<void>(stream_errc::end_of_stream);
}

void recv_exactly_awaiter::await_resume() {
    end_by_reset(operation::result >= 0 && static_cast<std::size_t>(operation::result) < length);
    if (operation::result < 0) [[unlikely]] {
        fail("recv from ");
    }
    if (const std::size_t arrived = static_cast<std::size_t>(operation::result); arrived < length)
        [[unlikely]] {
        throw std::system_error(stream_errc::end_of_stream, "recv from " + socket_->remote.to_string() +
                                                                ": " + std::to_string(before_ + arrived) +
                                                                " of " + std::to_string(whole_.size()) +
                                                                " bytes arrived");
    }
}

bool recv_chunk_awaiter::end_with_returned() noexcept {
    return end_with(static_cast<std::int64_t>(socket_->returned->size()));
}

bool send_awaiter::end_early() noexcept {
    if (descriptor < 0) {
        return end_with(is_closed);
    }
    return end_with(socket_->send_broken ? is_broken : 0);
}

leat::result<std::size_t> send_awaiter::take() const noexcept {
    return operation::result >= 0 ? count() : leat::result<std::size_t>(error());
}

leat::result<void> send_all_awaiter::take() const noexcept {
    return operation::result >= 0 ? leat::result<void>() : leat::result<void>(error());
}

}  // namespace leat
