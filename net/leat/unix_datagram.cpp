// SPDX-License-Identifier: MIT
#include <leat/unix_datagram.hpp>

#include <leat/core/unix_opening.hpp>
#include <leat/sleep.hpp>

#include <string>

namespace leat {

namespace {

using detail::current_sockets;

constexpr const char* datagram_socket = "a datagram socket of the Unix domain";

// One try, which counts as a wait of its task all the same.
class send_now : public detail::leaf_awaiter<send_now, detail::datagram_operation> {
public:
    send_now(detail::socket_state& socket, byte_view from, const unix_endpoint& to,
             std::span<const int> descriptors) noexcept
        : leaf_awaiter(detail::send_kind, operation_kind::send_datagram, socket,
                       const_cast<std::byte*>(from.data()), from.size()),
          to_(to),
          descriptors_(descriptors) {}
    bool take_now() {
        if (closed()) {
            return end_with(is_closed);
        }
        if (descriptors_.size() > passed_descriptors_max) {
            return end_with(-EINVAL);
        }
        room_.put(header_, descriptors_);
        address_to(const_cast<sockaddr*>(to_.data()), to_.size());
        const auto sent = current_sockets().send_message(owner->descriptor, header_);
        return end_with(sent.ok() ? static_cast<std::int64_t>(*sent) : -sent.error().value());
    }
    leat::result<std::size_t> await_resume() const noexcept { return count(); }

private:
    const unix_endpoint& to_;
    std::span<const int> descriptors_;
    detail::descriptor_room room_;
};

}  // namespace

unix_datagram unix_datagram::open() {
    detail::require_kernel(datagram_socket);
    unix_datagram socket(*new detail::socket_state);
    socket.state().descriptor = current_sockets().open(AF_UNIX, SOCK_DGRAM, 0).value("socket");
    return socket;
}

unix_datagram unix_datagram::bind(const unix_endpoint& at, unix_datagram_options options) {
    unix_datagram socket = open();
    socket.file_ = detail::bind_at(socket.native_handle(), SOCK_DGRAM, at, options.replace_stale,
                                   ("bind to " + at.to_string()).c_str());
    return socket;
}

unix_datagram unix_datagram::from_fd(int fd) {
    detail::require_kernel(datagram_socket);
    unix_datagram socket(*new detail::socket_state);
    detail::take_over(fd, {datagram_socket, SOCK_DGRAM, false, true, false});
    socket.state().descriptor = fd;
    return socket;
}

std::pair<unix_datagram, unix_datagram> unix_datagram::pair() {
    unix_datagram one(*new detail::socket_state);
    unix_datagram other(*new detail::socket_state);
    detail::open_pair(SOCK_DGRAM, one.state(), other.state());
    return {std::move(one), std::move(other)};
}

// It never waits: nothing is asked of the peer.
void unix_datagram::connect(const unix_endpoint& peer) {
    if (::connect(native_handle(), peer.data(), peer.size()) != 0) {
        throw std::system_error(errno_code(errno), "connect to " + peer.to_string());
    }
}

task<> unix_datagram::send_to(byte_view from, unix_endpoint to, std::span<const int> descriptors) {
    for (duration pause = detail::first_pause;; pause = detail::next_pause(pause)) {
        send_now trying(state(), from, to, descriptors);
        const result<std::size_t> sent = co_await trying;
        if (sent.ok()) {
            co_return;
        }
        if (sent.error() != std::errc::resource_unavailable_try_again) {
            throw std::system_error(sent.error(), "send to " + to.to_string());
        }
        co_await sleep(pause);
    }
}

}  // namespace leat
