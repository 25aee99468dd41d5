// SPDX-License-Identifier: MIT
// dump_tasks and dump_tasks_json: what a look at a running program tells.
#include "../virtual_kernel.hpp"

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <nlohmann/json.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::stuck;
using nlohmann::json;

namespace {

json dumped() {
    return json::parse(leat::dump_tasks_json()).at("tasks");
}

bool mentions(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
}

// The task of that name, wherever it is in the tree; null when there is none.
json named(const json& entries, const std::string& name) {
    for (const json& entry : entries) {
        if (entry.value("name", "") == name) {
            return entry;
        }
        if (json below = named(entry.at("children"), name); !below.is_null()) {
            return below;
        }
    }
    return nullptr;
}

// Whose descriptor 7 never ends.
leat::task<> receives() {
    co_await leat::transfer(7);
}

leat::task<> receives_more() {
    co_await leat::transfer(8);
}

}  // namespace

LEAT_TEST("a dump tells of each task its id, its name, its state and where it was spawned") {
    auto waits = leat::spawn(stuck);
    waits.name("the waiter");
    co_await leat::yield();
    auto starts = leat::spawn(stuck);
    const int line = __LINE__ - 1;
    const json tasks = dumped();
    REQUIRE(tasks.size() == 3);
    CHECK(tasks[0].at("id") == 1);
    CHECK(tasks[0].at("state") == "running");
    CHECK_FALSE(tasks[0].contains("name"));
    CHECK(tasks[1].at("name") == "the waiter");
    CHECK(tasks[1].at("state") == "waiting");
    CHECK(tasks[2].at("state") == "ready");
    CHECK(tasks[2].at("spawned_at").at("line") == line);
    CHECK(mentions(tasks[2].at("spawned_at").at("file"), "dump_test.cpp"));
    const std::string text = leat::dump_tasks();
    CHECK(mentions(text, "task 2 \"the waiter\" (spawned at "));
    CHECK(mentions(text, "dump_test.cpp:" + std::to_string(line) + ") is ready to start"));
}

LEAT_TEST("a task names itself, also from a task that it awaits, and the last name counts") {
    auto ann = leat::spawn([]() -> leat::task<> {
        leat::name_this_task("nobody");
        co_await []() -> leat::task<> {
            leat::name_this_task("ann");
            co_return;
        }();
        leat::spawn(stuck);
        co_await stuck();
    });
    leat::name_this_task("main");
    co_await leat::yield();
    const json tasks = dumped();
    REQUIRE(tasks.size() == 3);
    CHECK(tasks[0].at("name") == "main");
    CHECK(tasks[1].at("name") == "ann");
    CHECK_FALSE(tasks[2].contains("name"));
    CHECK(mentions(leat::dump_tasks(), "task 2 \"ann\" (spawned at "));
    ann.name("bob");
    CHECK(dumped()[1].at("name") == "bob");
}

VIRTUAL_TEST("a dump tells the chain of co_awaits, the innermost first") {
    auto task = leat::spawn([]() -> leat::task<> { co_await leat::timeout(1h, receives()); });
    const int outer = __LINE__ - 1;
    co_await leat::yield();
    const json awaits = dumped()[1].at("awaits");
    REQUIRE(awaits.size() == 2);
    CHECK(mentions(awaits[0].at("function"), "receives"));
    CHECK(awaits[1].at("line") == outer);
    task.cancel();
}

VIRTUAL_TEST("a dump is a tree: tasks below the groups and the tasks that own them") {
    auto owner = leat::spawn([]() -> leat::task<> {
        co_await leat::with_task_group([](leat::task_group& outer) -> leat::task<> {
            outer.spawn(stuck).name("child");
            co_await leat::timeout(1h, leat::with_task_group([](leat::task_group& inner) -> leat::task<> {
                                       inner.spawn(stuck).name("grandchild");
                                       co_await stuck();
                                   }));
        });
    });
    owner.name("owner");
    co_await leat::yield();
    co_await leat::yield();
    const json children = named(dumped(), "owner").at("children");
    REQUIRE(children.size() == 1);
    CHECK(children[0].at("kind") == "group");
    CHECK(children[0].at("size") == 1);
    CHECK(mentions(children[0].at("opened_at").at("file"), "dump_test.cpp"));
    const json& below = children[0].at("children");
    REQUIRE(below.size() == 2);
    CHECK(!named(below, "child").is_null());
    const json inner = below[0].at("kind") == "group" ? below[0] : below[1];
    CHECK(named(inner.at("children"), "grandchild").at("deadline_ns") == json(3600'000'000'000));
    const std::string text = leat::dump_tasks();
    CHECK(mentions(text, "\n  group opened at "));
    CHECK(mentions(text, "\n    group opened at "));
    CHECK(mentions(text, "\n      task 4 \"grandchild\""));
}

VIRTUAL_TEST("the age of a wait is the time since it began, and deadlines count from now") {
    auto first = leat::spawn([]() -> leat::task<> { co_await leat::timeout(3h, stuck()); });
    auto sleeps = leat::spawn([]() -> leat::task<> {
        co_await leat::sleep(1h);
        co_await leat::sleep(5h);
    });
    co_await leat::sleep(2h);
    const json tasks = dumped();
    CHECK(tasks[1].at("wait").at("age_ns") == json(std::chrono::nanoseconds(2h).count()));
    CHECK(tasks[1].at("deadline_ns") == json(std::chrono::nanoseconds(1h).count()));
    CHECK(tasks[2].at("wait").at("age_ns") == json(std::chrono::nanoseconds(1h).count()));
    CHECK(tasks[2].at("wait").at("deadline_ns") == json(std::chrono::nanoseconds(4h).count()));
    CHECK_FALSE(tasks[1].at("wait").contains("deadline_ns"));
    const std::string text = leat::dump_tasks();
    CHECK(mentions(text, "waits for sleep, for 7200 s; deadline in 3600 s"));
    CHECK(mentions(text, "waits for sleep, over in 14400 s, for 3600 s\n"));
}

VIRTUAL_TEST("a shield hides the deadlines and cancellations around it") {
    auto shielded =
        leat::spawn([]() -> leat::task<> { co_await leat::timeout(1h, leat::shield(receives())); });
    co_await leat::yield();
    CHECK_FALSE(dumped()[1].contains("deadline_ns"));
    shielded.cancel();
    CHECK_FALSE(dumped()[1].contains("cancelled"));
    CHECK(dumped()[1].at("wait").at("for") == "recv");
    kernel.complete(7);
    co_await shielded.join();
}

VIRTUAL_TEST("a dump tells by what a task is cancelled") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::stays;
    auto asked = leat::spawn(receives);
    auto late =
        leat::spawn([]() -> leat::task<> { (void)co_await leat::move_on_after(1h, receives_more()); });
    const int line = __LINE__ - 1;
    co_await leat::sleep(2h);
    CHECK(dumped()[2].at("cancelled").at("reason") == "its deadline passed");
    CHECK(mentions(dumped()[2].at("cancelled").at("by"), "dump_test.cpp:" + std::to_string(line)));
    asked.cancel();
    CHECK(dumped()[1].at("cancelled") == json{{"reason", "it was asked to end"}, {"by", "task 2"}});
    CHECK(mentions(leat::dump_tasks(), "; cancelled with task 2: it was asked to end\n"));
    kernel.complete(7);
    kernel.complete(8);
    co_await leat::join_all(asked, late);
}

LEAT_TEST("a dump tells which task another one awaits") {
    auto awaited = leat::spawn(stuck);
    auto waiter = leat::spawn([&]() -> leat::task<> { co_await awaited; });
    co_await leat::yield();
    const json wait = dumped()[2].at("wait");
    CHECK(wait.at("for") == "another task");
    CHECK(wait.at("task") == 2);
    CHECK(mentions(leat::dump_tasks(), "waits for another task, task 2, for "));
    waiter.cancel();
}

VIRTUAL_TEST("a dump tells which task holds the mutex that another one waits for") {
    leat::mutex lock;
    const auto locks = [&]() -> leat::task<> {
        const auto held = co_await lock.lock();
        co_await leat::sleep(1h);
    };
    auto first = leat::spawn(locks);
    auto second = leat::spawn(locks);
    auto third = leat::spawn(locks);
    co_await leat::yield();
    CHECK(dumped()[2].at("wait").at("held_by") == 2);
    CHECK(dumped()[2].at("wait").at("object") == dumped()[3].at("wait").at("object"));
    CHECK(mentions(leat::dump_tasks(), " held by task 2, for "));
    co_await first;
    co_await leat::yield();
    CHECK(dumped()[2].at("wait").at("held_by") == 3);  // it was handed over
    co_await leat::join_all(second, third);
}

LEAT_TEST("a name of any bytes makes valid JSON") {
    auto task = leat::spawn(stuck);
    const auto name_becomes = [&](std::string_view name) {
        task.name(name);
        return std::string(dumped()[1].value("name", ""));
    };
    for (const char* valid : {"a \"b\" \\ /", "tab\t, newline\n, bell\x07, escape\x1b",
                              "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"}) {
        CHECK(name_becomes(valid) == valid);
    }
    const std::string unknown = "\xEF\xBF\xBD";
    CHECK(name_becomes("\xFF") == unknown);
    CHECK(name_becomes("a\xC3") == "a" + unknown);
    CHECK(name_becomes("\xC0\xAF") == unknown + unknown);                // longer than needed
    CHECK(name_becomes("\xED\xA0\x80") == unknown + unknown + unknown);  // a surrogate
    CHECK(name_becomes("\xE2\x82x") == unknown + unknown + "x");
    CHECK(name_becomes(std::string_view("a\0b", 3)) == std::string("a\0b", 3));
    co_return;
}

VIRTUAL_TEST("a deep tree is dumped without recursion, and a wide one whole") {
    struct nest {
        static leat::task<> deeper(int depth) {
            if (depth == 0) {
                co_await stuck();
            }
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                group.spawn(deeper, depth - 1);
                co_await group.wait();
            });
        }
    };
    auto deep = leat::spawn(nest::deeper, 3000);
    for (int i = 0; i < 10'000; ++i) {
        leat::spawn(stuck);
    }
    co_await leat::sleep(1s);
    const std::string text = leat::dump_tasks();
    CHECK(mentions(text, "task 13002 "));
    CHECK(!leat::dump_tasks_json().empty());
    std::size_t tasks = 0;
    for (std::size_t at = 0; (at = text.find("(spawned at ", at)) != std::string::npos; ++at) {
        ++tasks;
    }
    CHECK(tasks == 13'002);
}

LEAT_TEST("a dump tells of an operation its descriptor, its addresses, and how much is done") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto accepted =
        leat::spawn([&]() -> leat::task<leat::tcp_stream> { co_return co_await listener.accept(); });
    co_await leat::yield();
    json wait = dumped()[1].at("wait");
    CHECK(wait.at("for") == "accept");
    CHECK(wait.at("local") == where.to_string());
    CHECK_FALSE(wait.contains("peer"));
    auto client = co_await leat::tcp_stream::connect(where);
    auto server = co_await accepted;
    auto reader = leat::spawn([&]() -> leat::task<> {
        char buffer[100];
        co_await server.recv_exactly(buffer);
    });
    reader.name("reader");
    co_await client.send_all("four");
    co_await leat::yield();
    wait = named(dumped(), "reader").at("wait");
    const bool in_kernel =
        leat::current_scheduler().io().describe().name.starts_with("uring");  // which tells at the end
    CHECK(wait.at("bytes_done") == (in_kernel ? 0 : 4));
    CHECK(wait.at("for") == "recv");
    CHECK(wait.at("bytes_wanted") == 100);
    CHECK(wait.at("local") == server.local_endpoint().to_string());
    CHECK(wait.at("peer") == client.local_endpoint().to_string());
    CHECK(wait.at("descriptor").is_number_integer());
    CHECK(mentions(leat::dump_tasks(), ", peer " + client.local_endpoint().to_string() +
                                           (in_kernel ? ", 0" : ", 4") + " of 100 bytes done, for "));
    reader.cancel();
    co_await reader.join();
}

VIRTUAL_TEST("a report of a task's error has its name") {
    leat::spawn([]() -> leat::task<> {
        throw std::runtime_error("no luck");
        co_return;
    }).name("unlucky");
    co_await leat::yield();
    REQUIRE(leat::reports.size() == 1);
    CHECK(mentions(leat::reports[0], "task 2 \"unlucky\", spawned at "));
}

VIRTUAL_TEST("what gather, race, map and for_each spawn was spawned where they are awaited") {
    const std::vector<int> items = {1, 2};
    const auto waits = [](int) { return stuck(); };
    const auto gives = [](int) -> leat::task<int> {
        co_await stuck();
        co_return 1;
    };
    const auto each_in_turn = {
        leat::spawn([&]() -> leat::task<> { (void)co_await leat::gather(stuck, stuck); }),
        leat::spawn([&]() -> leat::task<> { (void)co_await leat::race(stuck(), stuck()); }),
        leat::spawn([&]() -> leat::task<> { co_await leat::for_each_concurrently(items, 2, waits); }),
        leat::spawn([&]() -> leat::task<> { (void)co_await leat::map_concurrently(items, 2, gives); }),
        leat::spawn(leat::for_each_concurrently(items, 2, waits)),
    };
    co_await leat::sleep(1s);
    const std::string text = leat::dump_tasks();
    INFO(text);
    std::size_t tasks = 0;
    std::size_t here = 0;
    for (std::size_t at = 0; (at = text.find("(spawned at ", at)) != std::string::npos; ++at) {
        ++tasks;
        here += text.substr(at, text.find(')', at) - at).find("dump_test.cpp") != std::string::npos;
    }
    CHECK(tasks == 1 + 3 * each_in_turn.size());
    CHECK(here == tasks - 1);  // the main task is the test's own
}
