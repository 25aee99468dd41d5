// SPDX-License-Identifier: MIT
// Names are looked up on another thread, so that the others go on; and what comes back is what the C library
// gives.
#include "../../../support/dns_server.hpp"
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

using namespace hook_tests;
namespace backends = leat::testing;

LEAT_TEST("getaddrinfo gives addresses, and getnameinfo the text of them") {
    co_await leat::blocking([] {
        addrinfo hints{};
        hints.ai_family = AF_INET;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICHOST;
        addrinfo* found = nullptr;
        CHECK(::getaddrinfo("192.0.2.7", "80", &hints, &found) == 0);
        char host[64];
        char service[8];
        CHECK(::getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, service, sizeof service,
                            NI_NUMERICHOST | NI_NUMERICSERV) == 0);
        CHECK(std::string(host) == "192.0.2.7");
        CHECK(std::string(service) == "80");
        CHECK(::getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, nullptr, 0,
                            NI_NUMERICHOST) == 0);
        CHECK(::getnameinfo(found->ai_addr, found->ai_addrlen, host, 3, nullptr, 0, NI_NUMERICHOST) ==
              EAI_OVERFLOW);
        ::freeaddrinfo(found);
        CHECK(::getaddrinfo("no number", "80", &hints, &found) == EAI_NONAME);
        CHECK(::getaddrinfo(nullptr, "80", nullptr, &found) == 0);
        ::freeaddrinfo(found);
    });
}

LEAT_TEST("the older functions work, too") {
    co_await leat::blocking([] {
        const hostent* const one = ::gethostbyname("192.0.2.7");
        CHECK(one != nullptr);
        CHECK(one->h_length == 4);
        hostent into{};
        char buffer[1024];
        hostent* found = nullptr;
        int error = 0;
        CHECK(::gethostbyname_r("192.0.2.7", &into, buffer, sizeof buffer, &found, &error) == 0);
        CHECK(found == &into);
        CHECK(::gethostbyname_r("192.0.2.7", &into, buffer, 1, &found, &error) == ERANGE);
        CHECK(::gethostbyname("not a name .") == nullptr);
        CHECK(h_errno == HOST_NOT_FOUND);
    });
}

LEAT_TEST("res_query asks the server that its thread has set", backends::kernel) {
    leat::testing::dns_server server;
    server.set("host.example", {.addresses = {leat::address::parse("192.0.2.9")}});
    const leat::endpoint place = leat::endpoint::parse(server.location());
    std::array<unsigned char, 512> answer{};
    int found = 0;
    int unknown = 0;
    int error = 0;
    co_await leat::blocking([&] {
        CHECK(::res_init() == 0);
        _res.nscount = 1;
        std::memcpy(&_res.nsaddr_list[0], place.data(), sizeof(sockaddr_in));
        found = ::res_query("host.example", ns_c_in, ns_t_a, answer.data(), answer.size());
        unknown = ::res_query("other.example", ns_c_in, ns_t_a, answer.data() + 256, 256);
        error = h_errno;
        CHECK(::res_init() == 0);
    });
    const auto end = answer.begin() + found;
    CHECK(found > 16);
    CHECK(std::vector<int>(end - 4, end) == std::vector<int>{192, 0, 2, 9});
    CHECK(unknown == -1);
    CHECK(error == HOST_NOT_FOUND);
    CHECK(server.asked("host.example", leat::testing::dns_type::a) == 1);
}

LEAT_TEST("in a cancelled scope no name is looked up") {
    int addresses = 0;
    int name = 0;
    int error = 0;
    int old = 0;
    auto looking = leat::spawn(leat::blocking([&] {
        addrinfo* found = nullptr;
        addresses = ::getaddrinfo("192.0.2.7", "80", nullptr, &found);
        error = errno;
        const sockaddr_in any{};
        char host[64];
        name = ::getnameinfo(reinterpret_cast<const sockaddr*>(&any), sizeof any, host, sizeof host, nullptr,
                             0, NI_NUMERICHOST);
        hostent into{};
        hostent* one = &into;
        int host_error = 0;
        old = ::gethostbyname_r("192.0.2.7", &into, host, sizeof host, &one, &host_error);
        CHECK(one == nullptr);
        CHECK(::gethostbyname("192.0.2.7") == nullptr);
    }));
    looking.cancel();
    const auto ended = co_await looking.join();
    CHECK(ended.cancelled());
    CHECK(addresses == EAI_SYSTEM);
    CHECK(error == ECANCELED);
    CHECK(name == EAI_SYSTEM);
    CHECK(old == ECANCELED);
}

LEAT_TEST("a look-up that is cancelled while it is under way is left behind", on(backends::simulated)) {
    int result = 0;
    int error = 0;
    auto looking = leat::spawn(leat::blocking([&] {
        addrinfo* found = nullptr;
        result = ::getaddrinfo("192.0.2.7", "80", nullptr, &found);
        error = errno;
    }));
    co_await leat::yield();  // it has begun; its answer comes later in virtual time
    looking.cancel();
    const auto before = leat::now();
    const auto ended = co_await looking.join();
    CHECK(ended.cancelled());
    CHECK(result == EAI_SYSTEM);
    CHECK(error == ECANCELED);
    CHECK(leat::now() == before);
    co_await leat::sleep(std::chrono::seconds(1));  // the answer comes, and nobody wants it
}
