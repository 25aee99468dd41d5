// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <string>

#include <sys/socket.h>

namespace {

// What happened, in order.
std::string log;

struct noted {
    explicit noted(const char* what) : name(what) {}
    ~noted() { log += std::string(log.empty() ? "" : ", ") + name + " ended"; }
    const char* name;
};

// Listens on a socket by a background task, until it ends; then gives the socket to the backend to close.
class listening final : public leat::service {
public:
    explicit listening(leat::scheduler& loop) : loop_(loop) {
        ++made;
        const auto background = [](int fd) -> leat::task<> {
            const noted end("background");
            co_await leat::readable(fd);
        };
        fd_ = loop.io().sockets().open(AF_INET, SOCK_DGRAM, 0).value();
        leat::detail::spawn_call(loop.background(), std::source_location::current(), background, int{fd_});
    }
    ~listening() override {
        loop_.io().retire(fd_);
        log += ", service ended";
    }

    static inline int made = 0;

private:
    leat::scheduler& loop_;
    int fd_ = -1;
};

leat::task<> use_it_behind_a_task() {
    const noted end("task");
    (void)leat::current_scheduler().use<listening>();
    co_await leat::sleep_until(leat::never);
}

}  // namespace

LEAT_TEST("a service is made once for each run, at its first use", on(kernel)) {
    const int before = listening::made;
    auto& first = leat::current_scheduler().use<listening>();
    auto& second = leat::current_scheduler().use<listening>();
    CHECK(&first == &second);
    CHECK(listening::made == before + 1);
    co_return;
}

TEST_CASE("background tasks end after all others, and a service after its tasks") {
    for (const auto& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            continue;
        }
        log.clear();
        const std::size_t before = leat::testing::open_descriptors();
        leat::run(
            []() -> leat::task<> {
                leat::spawn(use_it_behind_a_task);
                co_await leat::yield();
            },
            {.backend = each.name});
        CHECK(log == "task ended, background ended, service ended");
        CHECK(leat::testing::open_descriptors() == before);
    }
}
