// SPDX-License-Identifier: MIT
// unix_message: what is received from a socket of the Unix domain that carries messages, or descriptors;
// with it the awaiters that unix_stream, unix_datagram and unix_seqpacket have in common.
//
// Invariant: a descriptor that comes with a message is owned by somebody from the first moment: by the span
// that it was asked into, or by the awaiter, which closes it. It is close-on-exec.
#pragma once

#include <leat/core/datagram_operation.hpp>
#include <leat/fd.hpp>
#include <leat/unix_endpoint.hpp>

#include <cstddef>
#include <span>

namespace leat {

// The most descriptors that go with one message (unix(7)).
inline constexpr std::size_t passed_descriptors_max = 253;

struct unix_message {
    std::size_t size = 0;           // bytes in the buffer
    std::size_t descriptors = 0;    // how many of the given ones are new; they are the first ones
    bool truncated = false;         // it was longer than the buffer, and the rest of it is lost
    bool descriptors_lost = false;  // more came than there was room for, or than this process may have open:
                                    // those are closed
    unix_endpoint from;             // of a datagram whose sender is bound; else nowhere
};

namespace detail {

// Where descriptors stand beside a message.
class descriptor_room {
public:
    // For `asked`, as many as there is room for.
    void offer(msghdr& header, std::size_t asked) noexcept;
    // `sent` goes with the message.
    void put(msghdr& header, std::span<const int> sent) noexcept;
    // Moves what has come with `header` to `into`, and closes what there is no room for. Nothing is left
    // there. Returns how many have been moved; `lost` if some have not.
    static std::size_t take(msghdr& header, std::span<fd> into, bool& lost) noexcept;

private:
    [[nodiscard]] cmsghdr& first() noexcept { return *reinterpret_cast<cmsghdr*>(room_); }

    alignas(cmsghdr) std::byte room_[CMSG_SPACE(passed_descriptors_max * sizeof(int))];
};

class receive_of_message : public datagram_operation {
public:
    receive_of_message(const wait_kind& what, socket_state& on, byte_buffer into) noexcept
        : datagram_operation(what, operation_kind::recv_datagram, on, into.data(), into.size()) {}

protected:
    bool begin_to_receive() { return begin_with(&sender_, sizeof sender_); }
    // What has been received, or its error.
    [[nodiscard]] leat::result<unix_message> received() noexcept;

private:
    sockaddr_un sender_{};
};

}  // namespace detail

// co_await gives a unix_message as soon as there is one: as much of it as fits into the buffer, which stays
// alive and untouched until then. Descriptors that come with it are closed, and lost. Cancelled: no message
// was taken. Errors are the kernel's.
class [[nodiscard]] recv_message_awaiter
    : public detail::leaf_awaiter<recv_message_awaiter, detail::receive_of_message> {
public:
    recv_message_awaiter(detail::socket_state& socket, byte_buffer into) noexcept
        : leaf_awaiter(detail::recv_kind, socket, into) {}
    bool take_now() { return begin_to_receive(); }
    leat::result<unix_message> take() noexcept { return received(); }
    unix_message await_resume();
};

// The same, and the descriptors that come with it are put into `descriptors`, from the first one on, in place
// of what those own; the span stays alive until then, too. Of a stream it gives some bytes, as recv does, and
// never those of two sends with descriptors at once. Cancelled: no byte and no descriptor was taken.
class [[nodiscard]] recv_descriptors_awaiter
    : public detail::leaf_awaiter<recv_descriptors_awaiter, detail::receive_of_message> {
public:
    recv_descriptors_awaiter(detail::socket_state& socket, byte_buffer into, std::span<fd> descriptors,
                             bool of_stream = false) noexcept
        : leaf_awaiter(kind, socket, into), into_(descriptors), of_stream_(of_stream) {}
    recv_descriptors_awaiter(recv_descriptors_awaiter&&) noexcept = default;
    ~recv_descriptors_awaiter();  // closes what nobody has taken
    bool take_now();
    leat::result<unix_message> take() noexcept;
    unix_message await_resume();

private:
    static const wait_kind kind;

    std::span<fd> into_;
    bool of_stream_;
    detail::descriptor_room room_;
};

// co_await hands the bytes to the kernel as one message, and waits while there is no room for it. They stay
// alive and unchanged until then. Cancelled: nothing was sent. Errors are the kernel's: message_size for more
// than the buffer of the socket takes; destination_address_required when there is no peer;
// connection_refused, connection_reset or broken_pipe when the peer is gone.
class [[nodiscard]] send_message_awaiter
    : public detail::leaf_awaiter<send_message_awaiter, detail::datagram_operation> {
public:
    send_message_awaiter(detail::socket_state& socket, byte_view from) noexcept
        : leaf_awaiter(detail::send_kind, operation_kind::send_datagram, socket,
                       const_cast<std::byte*>(from.data()), from.size()) {}
    bool take_now() { return begin_with(nullptr, 0); }
    leat::result<void> take() const noexcept;
    void await_resume() const;
};

// The same with descriptors, at most passed_descriptors_max, which stay the caller's and are open until then:
// the receiver gets duplicates. With more of them it fails with invalid_argument. co_await gives std::size_t,
// the bytes sent: of a stream perhaps not all of them, and then all descriptors are with those; at least one
// byte has to go with descriptors over a stream or a connection.
class [[nodiscard]] send_descriptors_awaiter
    : public detail::leaf_awaiter<send_descriptors_awaiter, detail::datagram_operation> {
public:
    send_descriptors_awaiter(detail::socket_state& socket, byte_view from,
                             std::span<const int> descriptors) noexcept
        : leaf_awaiter(kind, operation_kind::send_datagram, socket, const_cast<std::byte*>(from.data()),
                       from.size()),
          descriptors_(descriptors) {}
    bool take_now();
    leat::result<std::size_t> take() noexcept;
    std::size_t await_resume();

private:
    static const wait_kind kind;

    std::span<const int> descriptors_;
    detail::descriptor_room room_;
};

}  // namespace leat
