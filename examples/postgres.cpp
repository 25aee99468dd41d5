// SPDX-License-Identifier: MIT
// libpq's blocking interface in tasks: fifty queries of 0.2 s at once in one thread, and one that is given
// up. What a query that was given up does in the server is asked of the server.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <libpq-fe.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

connection connect(const char* where) {
    connection made(PQconnectdb(where), PQfinish);
    if (PQstatus(made.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(made.get()));
    }
    return made;
}

// Tells the server to stop what it does for `given_up`. In a cancelled scope its connection would be refused,
// so the thread waits for it.
void stop_in_server(PGconn* given_up) {
    const leat::really_block here;
    char text[256];
    PGcancel* const cancel = PQgetCancel(given_up);
    PQcancel(cancel, text, sizeof text);
    PQfreeCancel(cancel);
}

// The first field of the answer.
std::string ask(PGconn* server, const char* query) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(server, query), PQclear);
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) {
        const std::string error = PQerrorMessage(server);
        if (error.find("Operation canceled") != std::string::npos) {
            stop_in_server(server);
            throw std::system_error(std::make_error_code(std::errc::operation_canceled), error);
        }
        throw std::runtime_error(error);
    }
    return PQgetvalue(answer.get(), 0, 0);
}

leat::task<> ask_at_once(const char* where, int count) {
    std::vector<leat::handle<connection>> connecting;
    for (int i = 0; i < count; ++i) {
        connecting.push_back(leat::spawn(leat::blocking(connect, where)));
    }
    std::vector<connection> servers;
    for (auto& each : connecting) {
        servers.push_back(co_await each);
    }
    const auto begun = leat::now();
    int waiting = 0;
    int most = 0;
    std::vector<leat::handle<>> all;
    for (const connection& server : servers) {
        all.push_back(leat::spawn(leat::blocking([&] {
            most = std::max(most, ++waiting);
            ask(server.get(), "select pg_sleep(0.2)");
            --waiting;
        })));
    }
    for (auto& each : all) {
        co_await each;
    }
    std::printf("%d queries of 0.2 s, %d of them at once: %.2f s\n", count, most,
                std::chrono::duration<double>(leat::now() - begun).count());
}

leat::task<> give_up(const char* where) {
    connection server = co_await leat::blocking(connect, where);
    try {
        const auto query = [&] { ask(server.get(), "select pg_sleep(60)"); };
        co_await leat::timeout(100ms, leat::blocking(query));
    } catch (const leat::timed_out&) {
        std::printf("a query of 60 s was given up after 0.1 s\n");
    }
    server.reset();  // libpq does not know any more what the server says on it
    const std::string left = co_await leat::blocking([&] {
        const connection other = connect(where);
        const char* const sessions = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)'";
        while (ask(other.get(), sessions) != "0") {
            ::usleep(10'000);
        }
        return ask(other.get(), "select 'its session has ended in the server'");
    });
    std::printf("%s\n", left.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const char* const where = argc > 1 ? argv[1] : "";
    return leat::run_main([=]() -> leat::task<> {
        co_await ask_at_once(where, 50);
        co_await give_up(where);
    });
}
