// SPDX-License-Identifier: MIT
// hiredis' blocking interface in tasks: twenty workers wait for jobs by BLPOP, each in a call that blocks,
// and a coroutine hands jobs out, all in one thread. Argument: the Unix socket of a Redis server.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hiredis/hiredis.h>

namespace {

using connection = std::unique_ptr<redisContext, decltype(&redisFree)>;
using reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

connection connect(const std::string& where) {
    connection made(redisConnectUnix(where.c_str()), redisFree);
    if (made == nullptr || made->err != 0) {
        throw std::runtime_error(made == nullptr ? "no memory" : made->errstr);
    }
    return made;
}

reply ask(redisContext* server, const char* command) {
    reply answer(static_cast<redisReply*>(redisCommand(server, command)), freeReplyObject);
    if (answer == nullptr) {
        throw std::runtime_error(server->errstr);
    }
    return answer;
}

// Takes jobs until there is one that says "stop". How many it has done.
int work(const std::string& where) {
    const connection server = connect(where);
    int done = 0;
    for (;;) {
        const reply job = ask(server.get(), "BLPOP jobs 0");  // a list and what was taken from it
        if (std::string_view(job->element[1]->str) == "stop") {
            return done;
        }
        ++done;
    }
}

// The call that waits for an answer gives up by itself, by a time limit of the socket.
std::string wait_in_vain(const std::string& where) {
    const connection server = connect(where);
    redisSetTimeout(server.get(), {.tv_sec = 0, .tv_usec = 50'000});
    try {
        ask(server.get(), "BLPOP nothing 0");
        return "got something";
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

leat::task<> hand_out(std::string where, int workers, int jobs) {
    std::vector<leat::handle<int>> all;
    for (int i = 0; i < workers; ++i) {
        all.push_back(leat::spawn(leat::blocking(work, where)));
    }
    const connection server = co_await leat::blocking(connect, where);
    for (int i = 0; i < jobs + workers; ++i) {
        co_await leat::blocking([&] { ask(server.get(), i < jobs ? "RPUSH jobs job" : "RPUSH jobs stop"); });
    }
    int done = 0;
    for (leat::handle<int>& each : all) {
        done += co_await each;
    }
    std::printf("%d workers have done %d jobs\n", workers, done);
    const std::string error = co_await leat::blocking(wait_in_vain, where);
    std::printf("a receive timeout: %s\n", error.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const std::string where = argc > 1 ? argv[1] : "/run/redis/redis-server.sock";
    return leat::run_main([&] { return hand_out(where, 20, 1000); });
}
