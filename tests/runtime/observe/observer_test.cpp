// SPDX-License-Identifier: MIT
// observer: which hooks are called, in which order.
#include <leat/observe/observer.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

// Writes down what it hears.
class listener : public leat::observer {
public:
    void task_spawned(const leat::observed_task& task, std::uint32_t owner) noexcept override {
        add("spawned" + std::to_string(task.id) + "by", owner);
    }
    void step_began(const leat::observed_task& task) noexcept override {
        add("step", task.id);
        names += std::string(task.name) + ",";
    }
    void step_ended(std::uint32_t task) noexcept override { add("over", task); }
    void wait_began(std::uint32_t task, const char* what) noexcept override {
        add(std::string("wait(") + what + ")", task);
    }
    void wait_ended(std::uint32_t task) noexcept override { add("go", task); }
    void task_ended(std::uint32_t task, leat::ending how) noexcept override {
        add(std::string("end(") + std::to_string(static_cast<int>(how)) + ")", task);
    }

    std::string heard;
    std::string names;

private:
    void add(const std::string& what, std::uint32_t task) { heard += what + std::to_string(task) + " "; }
};

// What an observer hears of `body`, and the rest of it.
template <typename Body>
listener heard_of(Body body) {
    listener hears;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> { co_await body(); }, {.hears = &hears});
    return hears;
}

}  // namespace

TEST_CASE("an observer hears of spawns, steps, waits and ends, in order") {
    const std::string heard = heard_of([]() -> leat::task<> { co_await leat::sleep(1s); }).heard;
    CHECK(heard == "spawned1by0 step1 over1 wait(sleep)1 go1 step1 end(1)1 over1 ");
}

TEST_CASE("an observer hears who spawned a task, and how it ended") {
    const std::string heard = heard_of([]() -> leat::task<> {
                                  auto fails = leat::spawn([]() -> leat::task<> {
                                      throw std::runtime_error("");
                                      co_return;
                                  });
                                  auto endless = leat::spawn(leat::stuck);
                                  co_await fails.join();
                                  endless.cancel();
                                  co_await endless.join();
                              }).heard;
    CHECK(heard ==
          "spawned1by0 step1 spawned2by1 spawned3by1 over1 wait(another task)1 "
          "step2 end(2)2 over2 step3 over3 wait(sleep)3 go1 step1 over1 wait(another task)1 "
          "go3 step3 end(3)3 over3 go1 step1 end(1)1 over1 ");
}

TEST_CASE("an observer hears no wait that was over at once, but each step") {
    const std::string heard = heard_of([]() -> leat::task<> { co_await leat::yield(); }).heard;
    CHECK(heard == "spawned1by0 step1 over1 step1 end(1)1 over1 ");
}

TEST_CASE("an observer is told the names of tasks") {
    CHECK(heard_of([]() -> leat::task<> {
              auto child = leat::spawn(leat::stuck);
              child.name("the child");
              co_await leat::yield();
          }).names == ",the child,,the child,");
}
