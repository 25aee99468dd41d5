// SPDX-License-Identifier: MIT
#include <leat/socket.hpp>

#include <algorithm>
#include <cstring>
#include <string>

#include <unistd.h>

namespace leat {

namespace detail {

namespace {

// Moves bytes that were given back to `into`; returns how many.
std::size_t take_returned(socket_state& socket, std::span<std::byte> into) noexcept {
    if (socket.returned == nullptr || into.empty()) {
        return 0;
    }
    const std::size_t count = std::min(socket.returned->size(), into.size());
    std::memcpy(into.data(), socket.returned->data(), count);
    socket.returned->remove_prefix(count);
    if (socket.returned->empty()) {
        socket.returned.reset();
    }
    return count;
}

}  // namespace

void socket_state::close() noexcept {
    const int fd = std::exchange(descriptor, -1);
    returned.reset();
    if (fd >= 0 && this_thread.loop != nullptr) {
        this_thread.loop->io().retire(fd);
    } else if (fd >= 0) {
        ::close(fd);
    }
}

void socket_state::give_back(const std::byte* bytes, std::size_t count) {
    if (count == 0) {
        return;
    }
    const std::span<const std::byte> unread = returned == nullptr ? std::span<const std::byte>() : *returned;
    const std::size_t size = count + unread.size();
    check(size <= UINT32_MAX, "a cancelled read gives back less than 4 GiB");
    auto* joined = new std::byte[size];
    std::ranges::copy(unread, std::copy_n(bytes, count, joined));
    // On the heap: it happens only when a read was cancelled midway.
    returned = std::make_unique<chunk>(heap_buffers, joined, 0, static_cast<std::uint32_t>(size));
}

chunk socket_state::take_returned() noexcept {
    chunk all = std::move(*returned);
    returned.reset();
    return all;
}

std::error_code socket_awaiter::error() const noexcept {
    if (operation::result == is_closed) {
        return stream_errc::closed;
    }
    if (operation::result == is_broken) {
        return stream_errc::broken;
    }
    return errno_code(static_cast<int>(-operation::result));
}

void socket_awaiter::fail(const char* what) const {
    throw std::system_error(error(), what + socket_->remote.to_string());
}

}  // namespace detail

bool recv_awaiter::await_ready() {
    if ((length == 0 || socket_->returned != nullptr) && !cancelled()) [[unlikely]] {
        return end_with(static_cast<std::int64_t>(detail::take_returned(*socket_, {buffer, length})));
    }
    return begin();
}

leat::result<std::size_t> recv_awaiter::take() const noexcept {
    return operation::result >= 0 ? count() : leat::result<std::size_t>(error());
}

std::size_t recv_awaiter::await_resume() const {
    if (operation::result < 0) [[unlikely]] {
        fail("recv from ");
    }
    return static_cast<std::size_t>(operation::result);
}

bool recv_exactly_awaiter::await_ready() {
    if (!cancelled()) {
        before_ = detail::take_returned(*socket_, whole_);
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

leat::result<void> recv_exactly_awaiter::take() const noexcept {
    if (operation::result < 0) {
        return error();
    }
    return static_cast<std::size_t>(operation::result) == length
               ? leat::result<void>()
               : leat::result<void>(stream_errc::end_of_stream);
}

void recv_exactly_awaiter::await_resume() const {
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
