// SPDX-License-Identifier: MIT
#include <leat/socket.hpp>

#include <leat/returned_bytes.hpp>

#include <new>
#include <string>

namespace leat {

namespace detail {

static_assert(sizeof(void*) != 8 || sizeof(socket_state) <= 64);  // every idle connection has one

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

std::string socket_state::peer_name() const {
    if (unix_name != nullptr) {
        return *unix_name;
    }
    return remote == endpoint() ? "a peer without a name" : remote.to_string();
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
    throw std::system_error(error(), what + socket_->peer_name());
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

constinit const wait_kind recv_exactly_awaiter::whole_kind{"recv", detail::cancel_operation,
                                                           detail::explain_operation, give_up};

bool recv_exactly_awaiter::give_up(wait& self) noexcept {
    auto& read = static_cast<recv_exactly_awaiter&>(self);
    try {
        if (read.socket_->descriptor >= 0) {
            read.socket_->give_back(read.whole_.data(),
                                    read.before_ + static_cast<std::size_t>(read.transferred));
        }
        return true;
    } catch (const std::bad_alloc&) {
        read.operation::result = -ENOMEM;
        return false;
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
        throw std::system_error(stream_errc::end_of_stream, "recv from " + socket_->peer_name() + ": " +
                                                                std::to_string(before_ + arrived) + " of " +
                                                                std::to_string(whole_.size()) +
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
