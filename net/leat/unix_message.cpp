// SPDX-License-Identifier: MIT
#include <leat/unix_message.hpp>

#include <leat/core/pushback.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <unistd.h>

namespace leat {

namespace detail {

namespace {

constexpr int scm_pidfd = 0x04;  // of a socket that asks for it, since Linux 6.5; not in every C library

std::size_t count_of(const cmsghdr& part) noexcept {
    return (part.cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

int descriptor_at(cmsghdr& part, std::size_t place) noexcept {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(&part) + place * sizeof number, sizeof number);
    return number;
}

}  // namespace

// Exactly so many, without what CMSG_SPACE adds: else the kernel may find room for one more.
void descriptor_room::offer(msghdr& header, std::size_t asked) noexcept {
    first().cmsg_len = 0;  // none have come
    const std::size_t most = std::min(asked, passed_descriptors_max);
    header.msg_control = most > 0 ? room_ : nullptr;
    header.msg_controllen = most > 0 ? CMSG_LEN(most * sizeof(int)) : 0;
}

void descriptor_room::put(msghdr& header, std::span<const int> sent) noexcept {
    if (sent.empty()) {
        return;
    }
    first().cmsg_level = SOL_SOCKET;
    first().cmsg_type = SCM_RIGHTS;
    first().cmsg_len = CMSG_LEN(sent.size_bytes());
    std::memcpy(CMSG_DATA(&first()), sent.data(), sent.size_bytes());
    header.msg_control = room_;
    header.msg_controllen = CMSG_SPACE(sent.size_bytes());
}

std::size_t descriptor_room::take(msghdr& header, std::span<fd> into, bool& lost) noexcept {
    std::size_t taken = 0;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr && part->cmsg_len >= CMSG_LEN(0);
         part = CMSG_NXTHDR(&header, part)) {
        const bool passed = part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS;
        const bool told = part->cmsg_level == SOL_SOCKET && part->cmsg_type == scm_pidfd;
        for (std::size_t i = 0; (passed || told) && i < count_of(*part); ++i) {
            fd came(descriptor_at(*part, i));
            if (passed && taken < into.size()) {
                into[taken++] = std::move(came);
            } else {
                lost |= passed;
            }
        }
    }
    header.msg_controllen = 0;
    return taken;
}

leat::result<unix_message> receive_of_message::received() noexcept {
    if (result < 0) [[unlikely]] {
        return error();
    }
    unix_message made;
    made.size = static_cast<std::size_t>(result);
    made.truncated = truncated();
    made.descriptors_lost = (header_.msg_flags & MSG_CTRUNC) != 0;
    if (header_.msg_namelen > sizeof(sa_family_t) && sender_.sun_family == AF_UNIX) {
        made.from =
            unix_endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&sender_), header_.msg_namelen);
    }
    return made;
}

}  // namespace detail

constinit const wait_kind recv_descriptors_awaiter::kind{
    "recv", detail::cancel_operation, detail::explain_operation, nullptr,
    [](wait& self) noexcept { return static_cast<recv_descriptors_awaiter&>(self).take_now(); }};
constinit const wait_kind send_descriptors_awaiter::kind{
    "send", detail::cancel_operation, detail::explain_operation, nullptr,
    [](wait& self) noexcept { return static_cast<send_descriptors_awaiter&>(self).take_now(); }};

unix_message recv_message_awaiter::await_resume() {
    if (operation::result < 0) [[unlikely]] {
        fail("recv from ");
    }
    return *take();
}

recv_descriptors_awaiter::~recv_descriptors_awaiter() {
    bool lost = false;
    if (operation::result >= 0) {
        (void)detail::descriptor_room::take(header_, {}, lost);
    }
}

// Of a stream: what was given back came before, and without any.
bool recv_descriptors_awaiter::take_now() {
    if (owner->returned != nullptr && !closed()) {
        header_.msg_controllen = 0;
        return end_with(static_cast<std::int64_t>(detail::take_returned(owner->returned, bytes())));
    }
    room_.offer(header_, into_.size());
    return begin_to_receive();
}

leat::result<unix_message> recv_descriptors_awaiter::take() noexcept {
    end_by_reset(of_stream_ && operation::result == 0);
    leat::result<unix_message> made = received();
    if (made.ok()) {
        made->descriptors = detail::descriptor_room::take(header_, into_, made->descriptors_lost);
    }
    return made;
}

unix_message recv_descriptors_awaiter::await_resume() {
    const leat::result<unix_message> made = take();
    if (!made.ok()) [[unlikely]] {
        fail("recv from ");
    }
    return *made;
}

leat::result<void> send_message_awaiter::take() const noexcept {
    return operation::result >= 0 ? leat::result<void>() : leat::result<void>(error());
}

void send_message_awaiter::await_resume() const {
    if (operation::result < 0) [[unlikely]] {
        fail("send to ");
    }
}

bool send_descriptors_awaiter::take_now() {
    if (descriptors_.size() > passed_descriptors_max) {
        return end_with(-EINVAL);
    }
    if (socket().send_broken && !closed()) {
        return end_with(is_broken);
    }
    room_.put(header_, descriptors_);
    return begin_with(nullptr, 0);
}

leat::result<std::size_t> send_descriptors_awaiter::take() noexcept {
    if (operation::result >= 0) {
        socket().bytes_sent += static_cast<std::uint64_t>(operation::result);
    }
    return count();
}

std::size_t send_descriptors_awaiter::await_resume() {
    const leat::result<std::size_t> sent = take();
    if (!sent.ok()) [[unlikely]] {
        fail("send to ");
    }
    return *sent;
}

}  // namespace leat
