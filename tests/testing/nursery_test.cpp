// SPDX-License-Identifier: MIT
// nursery: its tasks end before the variables that they refer to, however the block is left.
#include <leat/net.hpp>
#include <leat/observe/dump.hpp>
#include <leat/testing/doctest.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/environment.hpp"

using namespace std::chrono_literals;
using leat::testing::nursery;

namespace {

// Notes its own end in a list.
struct named {
    std::vector<std::string>& ended;
    std::string name;
    ~named() { ended.push_back(name); }
};

// Receives for ever, from what is its caller's.
leat::task<> receive_all(leat::tcp_stream& peer, std::vector<std::string>& ended) {
    const named end{ended, "child"};
    for (;;) {
        (void)co_await peer.recv_chunk();
    }
}

// Throws between the spawn of a task that refers to the variables here and the wait for it.
leat::task<> throw_with_child(std::vector<std::string>& ended) {
    auto [client, server] = co_await leat::testing::stream_pair();
    const named local{ended, "local"};
    nursery tasks;
    tasks.spawn([&]() -> leat::task<> { co_await receive_all(server, ended); });
    co_await leat::testing::wait_until_idle();
    throw std::runtime_error("the planted failure");
}

const std::vector<std::string> child_first = {"child", "local"};

std::string why_failed(const std::function<leat::task<>()>& body) {
    const leat::testing::changed_variable seed("LEAT_SEED", nullptr);
    const leat::testing::changed_variable seeds("LEAT_SEEDS", nullptr);
    return leat::testing::simulate(body, leat::testing::seeds(1)).why;
}

}  // namespace

LEAT_TEST("a body that throws between spawn and join cancels and awaits the child before its locals die") {
    std::vector<std::string> ended;
    std::string thrown;
    try {
        co_await throw_with_child(ended);
    } catch (const std::runtime_error& error) {
        thrown = error.what();
    }
    CHECK(thrown == "the planted failure");
    CHECK(ended == child_first);
}

LEAT_SIMULATE("a body that throws ends its child first, however late the cancellation comes",
              {.seeds = 50, .random_order = true}) {
    std::vector<std::string> ended;
    const auto outcome = co_await leat::as_outcome(throw_with_child(ended));
    CHECK(outcome.how() == leat::ending::error);
    CHECK(ended == child_first);
}

LEAT_TEST("a body that is cancelled ends the tasks of its nursery before its locals die") {
    std::vector<std::string> ended;
    auto body = leat::spawn([&]() -> leat::task<> {
        auto [client, server] = co_await leat::testing::stream_pair();
        const named local{ended, "local"};
        nursery tasks;
        tasks.spawn([&]() -> leat::task<> { co_await receive_all(server, ended); });
        (void)co_await client.recv_chunk();
    });
    co_await leat::testing::wait_until_idle();
    body.cancel();
    co_await body.join();
    CHECK(body.cancelled());
    CHECK(ended == child_first);
}

LEAT_TEST("a body that has reached its end cancels what its nursery still has") {
    std::vector<std::string> ended;
    bool finished = false;
    {
        leat::event never_set;
        const named local{ended, "local"};
        nursery tasks;
        tasks.spawn([&]() -> leat::task<> {
            const named end{ended, "child"};
            co_await never_set.wait();
            finished = true;
        });
        co_await leat::yield();
    }
    CHECK(ended == child_first);
    CHECK_FALSE(finished);
    co_await leat::yield();  // this task itself was not cancelled
}

LEAT_TEST("a cleanup that waits is awaited by the end of its nursery") {
    bool cleaned_up = false;
    {
        nursery tasks;
        tasks.spawn([&]() -> leat::task<> {
            co_await leat::finally(leat::sleep(1h), [&]() -> leat::task<> {
                co_await leat::sleep(1ms);
                cleaned_up = true;
            });
        });
        co_await leat::yield();
    }
    CHECK(cleaned_up);
}

LEAT_SIMULATE("a timeout whose wait was cancelled may pass while a nursery beside it ends") {
    bool cleaned_up = false;
    const auto body = leat::spawn([&]() -> leat::task<> {
        auto wait = leat::sleep(1h);
        auto limited = leat::timeout(1s, wait);
        nursery tasks;
        tasks.spawn([&]() -> leat::task<> {
            co_await leat::shield(leat::sleep(1min));
            cleaned_up = true;
        });
        co_await limited;
    });
    co_await leat::testing::wait_until_idle();
    body.cancel();
    co_await body.join();
    CHECK(body.cancelled());
    CHECK(cleaned_up);
}

LEAT_TEST("wait() of a nursery lets its tasks finish") {
    int finished = 0;
    {
        nursery tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.spawn([&]() -> leat::task<> {
                co_await leat::yield();
                ++finished;
            });
        }
        co_await tasks.wait();
    }
    CHECK(finished == 3);
}

TEST_CASE("nurseries in each other end from the inside out, also when a task of one fails") {
    std::vector<std::string> ended;
    const auto waits = [&](std::string name) -> leat::task<> {
        const named end{ended, name};
        co_await leat::sleep(1h);
    };
    const auto fails = [&]() -> leat::task<> {
        const named end{ended, "inner"};
        nursery innermost;
        innermost.spawn(waits, "innermost");
        co_await leat::sleep(1min);
        throw std::runtime_error("the planted failure");
    };
    const std::string why = why_failed([&]() -> leat::task<> {
        nursery outer;
        outer.spawn(waits, "outer");
        nursery inner;
        inner.spawn(fails);
        co_await leat::sleep(2h);
    });
    CHECK(why.starts_with("it threw: the planted failure\n"));
    CHECK(ended == std::vector<std::string>{"innermost", "inner", "outer"});
}

TEST_CASE("the error of a nursery's task ends the test that waits, and fails it") {
    const int line_of_nursery = __LINE__ + 2;
    const std::string why = why_failed([]() -> leat::task<> {
        nursery tasks;
        tasks.spawn([]() -> leat::task<> {
            throw std::runtime_error("the child's failure");
            co_return;
        });
        co_await leat::sleep(1h);
        CHECK_MESSAGE(false, "it went on");
    });
    CHECK(
        why.starts_with("it threw: the child's failure\nreported before that:\n  a task of the nursery at "));
    CHECK(why.ends_with("nursery_test.cpp:" + std::to_string(line_of_nursery) +
                        " failed: the child's failure"));
}

TEST_CASE("the error of a nursery's task fails a test that has reached its end, too") {
    CHECK(why_failed([]() -> leat::task<> {
              nursery tasks;
              tasks.spawn([]() -> leat::task<> {
                  co_await leat::finally(leat::sleep(1h), []() -> leat::task<> {
                      throw std::runtime_error("the cleanup's failure");
                      co_return;
                  });
              });
              co_await leat::yield();
          }).starts_with("it threw: the cleanup's failure\n"));
}

TEST_CASE("what a body throws is told, also when a task of its nursery fails by that") {
    CHECK(why_failed([]() -> leat::task<> {
              nursery tasks;
              tasks.spawn([]() -> leat::task<> {
                  co_await leat::finally(leat::sleep(1h), []() -> leat::task<> {
                      throw std::runtime_error("the cleanup's failure");
                      co_return;
                  });
              });
              co_await leat::yield();
              throw std::runtime_error("the body's failure");
          }).starts_with("it threw: the body's failure\nreported before that:\n  a task of the nursery at "));
}

LEAT_TEST("a dump while a nursery ends says that its owner waits for its tasks",
          on(leat::testing::simulated)) {
    std::string dump;
    auto body = leat::spawn([&]() -> leat::task<> {
        nursery tasks;
        tasks.spawn([&]() -> leat::task<> {
            co_await leat::finally(leat::sleep(1h), [&]() -> leat::task<> {
                co_await leat::yield();
                dump = leat::dump_tasks();
            });
        });
        co_await leat::yield();
    });
    co_await body;
    CHECK(dump.find(" waits for the tasks of its nursery, for ") != std::string::npos);
}

LEAT_TEST("a nursery without tasks lets nobody run at its end") {
    bool ran = false;
    auto other = leat::spawn([&]() -> leat::task<> {
        ran = true;
        co_return;
    });
    {
        const nursery none;
    }
    CHECK_FALSE(ran);
    co_await other;
}

TEST_CASE("a child's error fails the LEAT_TEST that its nursery is in") {
    for (const auto& each : leat::testing::backends(leat::testing::every_backend)) {
        if (!each.refused.empty()) {
            continue;
        }
        INFO(each.name);
        const auto body = []() -> leat::task<> {
            nursery tasks;
            tasks.spawn([]() -> leat::task<> {
                throw std::runtime_error("the child's failure");
                co_return;
            });
            co_await leat::yield();
            co_await leat::yield();
        };
        CHECK_THROWS_WITH_AS(leat::testing::run_on(each, body), "the child's failure", std::runtime_error);
    }
}
