// SPDX-License-Identifier: MIT
// A program that hangs, to show how one finds out why: docs/debugging.md. A writer has locked a mutex and
// waits for a peer that never sends; the others wait for the mutex, or for each other. A listener is open,
// so the run is no deadlock: somebody might still connect.
//
//   hung [--json]       prints "hanging" and its process id, after the tasks as JSON if asked
//   kill -QUIT PID      dumps the tasks to standard error
#include <leat/net.hpp>

#include <csignal>
#include <cstdio>
#include <string_view>

#include <unistd.h>

namespace {

struct ledger {
    leat::mutex lock;
    leat::tcp_stream peer;
};

leat::task<> read_entry(ledger& book) {
    char entry[64];
    co_await book.peer.recv_exactly(entry);
}

leat::task<> write_down(ledger& book) {
    const auto held = co_await book.lock.lock();
    co_await read_entry(book);
}

leat::task<> audit(ledger& book) {
    const auto held = co_await book.lock.lock();
}

leat::task<> hang(bool json) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto silent = co_await leat::tcp_stream::connect(listener.local_endpoint());
    ledger book;
    book.peer = co_await listener.accept();
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(write_down, std::ref(book)).name("writer");
        auto auditor = group.spawn(audit, std::ref(book));
        auditor.name("auditor");
        auto report = group.spawn([&]() -> leat::task<> { co_await auditor; });
        report.name("report");
        group.spawn([&]() -> leat::task<> { co_await listener.accept(); }).name("acceptor");
        co_await leat::sleep(std::chrono::milliseconds(1));
        if (json) {
            std::puts(leat::dump_tasks_json().c_str());
        }
        std::printf("hanging %d\n", static_cast<int>(::getpid()));
        std::fflush(stdout);
        co_await report;
    });
}

}  // namespace

int main(int argc, char** argv) {
    const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
    return leat::run_main([json] { return hang(json); }, {.dump_signal = SIGQUIT});
}
