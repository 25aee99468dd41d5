// SPDX-License-Identifier: MIT
// recvmsg in a fibre with room for what comes beside the bytes: descriptors.
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <string_view>

#include <sys/socket.h>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

void put_descriptor(const leat::fd& into, std::string_view text, const leat::fd& given) {
    iovec from{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &from;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    *reinterpret_cast<int*>(CMSG_DATA(first)) = given.get();
    REQUIRE(::sendmsg(into.get(), &message, 0) == static_cast<ssize_t>(text.size()));
}

}  // namespace

LEAT_TEST("recvmsg with MSG_WAITALL waits for every byte, and for what comes with the bytes",
          backends::kernel) {
    const ends pair = socket_ends();
    char bytes[4];
    iovec into{.iov_base = bytes, .iov_len = sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    const auto receive = [&] {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        return leat::blocking(
            [&] { return ::recvmsg(pair.ours.get(), &message, MSG_WAITALL | MSG_CMSG_CLOEXEC); });
    };
    auto waiting = leat::spawn(receive);
    put(pair.theirs, "ab");
    co_await let_others_run();
    CHECK(!waiting.done());
    put(pair.theirs, "cd");
    const ssize_t whole = co_await waiting;
    CHECK(whole == 4);
    CHECK(std::string_view(bytes, 4) == "abcd");
    CHECK(message.msg_controllen == 0);

    auto with_descriptor = leat::spawn(receive);
    put(pair.theirs, "e");
    co_await let_others_run();
    put_descriptor(pair.theirs, "f", pair.ours);
    put(pair.theirs, "gh");
    const ssize_t part = co_await with_descriptor;
    CHECK(part == 2);  // as the kernel: a descriptor ends what is received at once
    CHECK(std::string_view(bytes, 2) == "ef");
    CHECK(message.msg_controllen == sizeof control);
    const cmsghdr* const first = CMSG_FIRSTHDR(&message);
    CHECK(first->cmsg_type == SCM_RIGHTS);
    ::close(*reinterpret_cast<const int*>(CMSG_DATA(first)));
    CHECK(take_all(pair.ours) == "gh");
}
