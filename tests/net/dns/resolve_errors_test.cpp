// SPDX-License-Identifier: MIT
#include <leat/dns/resolve.hpp>

#include "lookups.hpp"

#include <sys/resource.h>

using namespace lookups;

LEAT_TEST("a name that no server knows is an error that names the host", on(kernel)) {
    dns_server server;
    const auto failed = co_await failure_of("no-such-host.invalid", patient(server));
    CHECK(failed.code == dns_errc::no_such_host);
    CHECK(failed.text == "resolve no-such-host.invalid: no such host");
}

LEAT_TEST("a name without addresses is told from one that does not exist", on(kernel)) {
    dns_server server;
    server.set("mail.test", {});
    const auto failed = co_await failure_of("mail.test", patient(server));
    CHECK(failed.code == dns_errc::no_address);
}

LEAT_TEST("a server that fails is a temporary failure, which is not remembered", on(kernel)) {
    dns_server server;
    server.set("flaky.test", {.rcode = dns_rcode::server_failure});
    const auto failed = co_await failure_of("flaky.test", patient(server));
    CHECK(failed.code == dns_errc::temporary_failure);
    server.set("flaky.test", {.addresses = {first}});
    const addresses found = co_await leat::resolve("flaky.test", patient(server));
    CHECK(found == addresses{first});
}

LEAT_TEST("a server that refuses is an error", on(kernel)) {
    dns_server server;
    server.set("private.test", {.rcode = dns_rcode::refused});
    const auto failed = co_await failure_of("private.test", patient(server));
    CHECK((failed.code == dns_errc::refused || failed.code == dns_errc::temporary_failure));
}

LEAT_TEST("a server that is silent is given up in the end, which is no deadlock", on(kernel)) {
    dns_server server;
    server.set("slow.test", {.how = dns_reply::manner::silent});
    const auto failed = co_await failure_of("slow.test", hasty(server));
    CHECK(failed.code == dns_errc::timed_out);
    CHECK(failed.code == std::errc::timed_out);
    CHECK(failed.text == "resolve slow.test: timed out: no DNS server answered");
}

LEAT_TEST("a server that is not there is a temporary failure", on(kernel)) {
    std::string nobody;
    {
        const leat::fd unused(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        leat::endpoint any("127.0.0.1", 0);
        CHECK(::bind(unused.get(), any.data(), any.size()) == 0);
        sockaddr_storage name{};
        socklen_t size = sizeof name;
        CHECK(::getsockname(unused.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
        nobody = leat::endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&name), size).to_string();
    }
    const auto failed = co_await failure_of(
        "www.test",
        {.families = address_families::ipv4, .servers = nobody, .timeout = std::chrono::hours(1)});
    CHECK(failed.code == dns_errc::temporary_failure);
}

LEAT_TEST("a TCP connection that ends midway is an error", on(kernel)) {
    dns_server server;
    server.set("large.test", {.addresses = {first, v6}, .how = dns_reply::manner::cut_off});
    const auto failed = co_await failure_of("large.test", patient(server));
    CHECK(failed.code == dns_errc::temporary_failure);
    CHECK(server.asked_over_tcp() > 0);
}

LEAT_TEST("an answer that cannot be understood is an error", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {first}, .how = dns_reply::manner::malformed});
    const auto failed = co_await failure_of("www.test", only_ipv4(patient(server)));
    CHECK(failed.code == dns_errc::malformed_answer);
}

LEAT_TEST("an answer that ends midway is malformed also where the other family has no address", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {first}, .how = dns_reply::manner::malformed});
    server.set("www.test", dns_type::aaaa, {});
    const auto failed = co_await failure_of("www.test", patient(server));
    CHECK(failed.code == dns_errc::malformed_answer);
}

LEAT_TEST("a server that does not understand the question is a temporary failure, not a bad name",
          on(kernel)) {
    for (const dns_rcode code : {dns_rcode::format_error, dns_rcode::not_implemented}) {
        dns_server server;
        server.set("www.test", {.rcode = code});
        const auto failed = co_await failure_of("www.test", patient(server));
        CHECK(failed.code == dns_errc::temporary_failure);
        CHECK(failed.text == "resolve www.test: temporary failure: no DNS server gave an answer");
    }
}

LEAT_TEST("an address of the wrong size is a malformed answer, not the lack of an address", on(kernel)) {
    for (const auto how : {dns_reply::manner::short_address, dns_reply::manner::short_over_tcp}) {
        dns_server server;
        server.set("www.test", {.addresses = {first, v6}, .how = how});
        for (const auto families : {address_families::any, address_families::ipv4, address_families::ipv6}) {
            resolve_options only = patient(server);
            only.families = families;
            const auto failed = co_await failure_of("www.test", only);
            CHECK(failed.code == dns_errc::malformed_answer);
        }
        CHECK((server.asked_over_tcp() > 0) == (how == dns_reply::manner::short_over_tcp));
    }
}

LEAT_TEST("what is not a host name is an error that shows it", on(kernel)) {
    dns_server server;
    const std::pair<std::string, std::string> wrong[] = {
        {"", "resolve \"\": not a host name"},
        {std::string("a\0b", 3), "resolve a\\x00b: not a host name"},
        {std::string(300, 'a'), "resolve " + std::string(100, 'a') + "... (300 characters): not a host name"},
        {"127.1", "resolve 127.1: not a host name"},
    };
    for (const auto& [host, text] : wrong) {
        const auto failed = co_await failure_of(host, patient(server));
        CHECK(failed.code == dns_errc::malformed_name);
        CHECK(failed.code == std::errc::invalid_argument);
        CHECK(failed.text == text);
    }
    CHECK(server.asked() == 0);
}

LEAT_TEST("what is not a list of servers is an error that names it", on(kernel)) {
    const std::pair<std::string, std::string> wrong[] = {
        {"ns.example", "\"ns.example\" is not the address of a DNS server"},
        {"127.0.0.1,,::1", "\"\" is not the address of a DNS server"},
        {"127.0.0.1:70000", "\"127.0.0.1:70000\" is not the address of a DNS server"},
    };
    for (const auto& [servers, text] : wrong) {
        std::string what;
        try {
            (void)co_await leat::resolve("www.test", {.servers = servers});
        } catch (const std::invalid_argument& error) {
            what = error.what();
        }
        CHECK(what == text);
    }
}

LEAT_TEST("having no descriptors left is an error of its own", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {first}});
    rlimit before{};
    CHECK(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const leat::fd highest(::dup(0));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(highest.get()), .rlim_max = before.rlim_max};
    CHECK(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    // An option without a file to read: c-ares opens sockets only.
    const auto failed = co_await failure_of("www.test", patient(server));
    CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(failed.code == std::errc::too_many_files_open);
    CHECK(failed.text == "resolve www.test: Too many open files");
    const addresses found = co_await leat::resolve("www.test", patient(server));
    CHECK(found == addresses{first});
}
