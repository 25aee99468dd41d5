// SPDX-License-Identifier: MIT
// from_fd of each type: it takes over what it is for, refuses everything else with an error that names both,
// and leaves what it refuses to its owner.
#include <leat/fd.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/udp.hpp>
#include <leat/unix.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

enum class kind {
    tcp,
    tcp_listening,
    udp,
    unix_stream,
    unix_listening,
    unix_datagrams,
    unix_packets,
    pipe,
    closed
};
constexpr std::array kinds{kind::tcp,          kind::tcp_listening,  kind::udp,
                           kind::unix_stream,  kind::unix_listening, kind::unix_datagrams,
                           kind::unix_packets, kind::pipe,           kind::closed};

leat::fd socket_of(int family, int type, bool listens) {
    leat::fd made(::socket(family, type | SOCK_CLOEXEC, 0));
    REQUIRE(made);
    if (listens) {
        if (family == AF_UNIX) {
            const sa_family_t unnamed = AF_UNIX;  // the kernel picks an abstract name
            REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&unnamed), sizeof unnamed) == 0);
        }
        REQUIRE(::listen(made.get(), 1) == 0);
    }
    return made;
}

leat::fd descriptor_of(kind what) {
    switch (what) {
        case kind::tcp:
            return socket_of(AF_INET, SOCK_STREAM, false);
        case kind::tcp_listening:
            return socket_of(AF_INET6, SOCK_STREAM, true);
        case kind::udp:
            return socket_of(AF_INET, SOCK_DGRAM, false);
        case kind::unix_stream:
            return socket_of(AF_UNIX, SOCK_STREAM, false);
        case kind::unix_listening:
            return socket_of(AF_UNIX, SOCK_STREAM, true);
        case kind::unix_datagrams:
            return socket_of(AF_UNIX, SOCK_DGRAM, false);
        case kind::unix_packets:
            return socket_of(AF_UNIX, SOCK_SEQPACKET, false);
        case kind::pipe: {
            int both[2];
            REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
            const leat::fd other(both[1]);
            return leat::fd(both[0]);
        }
        case kind::closed:
            break;
    }
    return {};
}

std::errc refusal_of(kind what) {
    switch (what) {
        case kind::udp:
        case kind::unix_datagrams:
        case kind::unix_packets:
            return std::errc::wrong_protocol_type;
        case kind::pipe:
            return std::errc::not_a_socket;
        case kind::closed:
            return std::errc::bad_file_descriptor;
        case kind::tcp:
        case kind::tcp_listening:
        case kind::unix_stream:
        case kind::unix_listening:
            break;
    }
    return std::errc::invalid_argument;
}

// `From::from_fd` takes over `taken` only, and says of everything else that it is not `what`.
template <typename From>
void check_taken(std::initializer_list<kind> taken, std::string_view what) {
    for (const kind each : kinds) {
        CAPTURE(static_cast<int>(each));
        leat::fd offered = descriptor_of(each);
        const int number = offered.get();
        std::error_code code;
        std::string why;
        try {
            auto made = From::from_fd(number);
            CHECK(made.native_handle() == number);
            CHECK((::fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
            (void)offered.release();
        } catch (const std::system_error& error) {
            code = error.code();
            why = error.what();
        }
        const bool is_wanted = std::find(taken.begin(), taken.end(), each) != taken.end();
        CHECK(!code == is_wanted);
        if (is_wanted) {
            continue;
        }
        const std::string said = "from_fd of descriptor " + std::to_string(number) + ", which is not ";
        CHECK(why.starts_with(said + std::string(what) + ": "));
        if (const std::errc expected = refusal_of(each); expected != std::errc::invalid_argument) {
            CHECK(code == expected);
        } else {
            CHECK((code == expected || code == std::errc::address_family_not_supported ||
                   code == std::errc::wrong_protocol_type));
        }
        CHECK((each == kind::closed || ::fcntl(number, F_GETFD) >= 0));  // it is still ours
    }
}

}  // namespace

LEAT_TEST("from_fd takes over what a type is for, and leaves all else to its owner", on(kernel)) {
    check_taken<leat::tcp_listener>({kind::tcp_listening}, "a listening TCP socket");
    check_taken<leat::tcp_stream>({kind::tcp, kind::unix_stream}, "a connected stream socket");
    check_taken<leat::udp_socket>({kind::udp, kind::unix_datagrams}, "a datagram socket");
    check_taken<leat::unix_listener>({kind::unix_listening}, "a listening socket of the Unix domain");
    check_taken<leat::unix_stream>({kind::unix_stream}, "a connected stream socket of the Unix domain");
    co_return;
}
