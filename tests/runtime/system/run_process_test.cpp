// SPDX-License-Identifier: MIT
#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::no_child_is_left;
using leat::run_process;

namespace {

std::string numbered(std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) {
        text += std::to_string(i) + ' ';
    }
    return text;
}

}  // namespace

LEAT_TEST("run_process gives how a program ended, what it wrote and its complaints", on(kernel)) {
    const leat::process_result ended = co_await run_process({"sh", "-c", "echo out; echo bad >&2; exit 3"});
    CHECK(ended.status == leat::exit_status::exited(3));
    CHECK(ended.output == "out\n");
    CHECK(ended.errors == "bad\n");
    const leat::process_result together =
        co_await run_process({"sh", "-c", "echo out; echo bad >&2"}, {.errors = leat::redirect::output});
    CHECK(together.output == "out\nbad\n");
    CHECK(together.errors.empty());
    CHECK(no_child_is_left());
}

LEAT_TEST("megabytes go through a program both ways at once", on(kernel)) {
    const std::string text = numbered(8'000'000);
    const leat::process_result ended = co_await run_process({"cat"}, {.input_text = text});
    CHECK(ended.status.success());
    CHECK(ended.output == text);
    const leat::process_result doubled = co_await run_process({"tee", "/dev/stderr"}, {.input_text = text});
    CHECK(doubled.output == text);
    CHECK(doubled.errors == text);
}

LEAT_TEST("a program without input sees its end at once, and one that reads none of it is no error",
          on(kernel)) {
    const leat::process_result empty = co_await run_process({"cat"});
    CHECK(empty.status.success());
    CHECK(empty.output.empty());
    const std::string text = numbered(8'000'000);
    const leat::process_result deaf = co_await run_process({"true"}, {.input_text = text});
    CHECK(deaf.status.success());
}

LEAT_TEST("a program that writes more than the limit is an error, and is killed", on(kernel)) {
    std::error_code failed;
    std::string message;
    try {
        (void)co_await run_process({"yes"}, {.limit = 100'000});
    } catch (const std::system_error& error) {
        failed = error.code();
        message = error.what();
    }
    CHECK(failed == std::errc::message_size);
    CHECK(message.find("output is longer than 100000 bytes") != std::string::npos);
    CHECK(no_child_is_left());
    const leat::process_result whole = co_await run_process({"echo", "12345"}, {.limit = 6});
    CHECK(whole.output == "12345\n");
}

LEAT_TEST("a run_process that is cancelled has killed its program when it ends", on(kernel)) {
    const auto late =
        co_await leat::move_on_after(1ms, run_process({"sh", "-c", "trap '' TERM; exec sleep 60"}));
    CHECK_FALSE(late.has_value());
    CHECK(no_child_is_left());
    std::string message;
    try {
        (void)co_await leat::timeout(1ms, run_process({"sleep", "60"}));
    } catch (const leat::timed_out& error) {
        message = error.what();
    }
    CHECK_FALSE(message.empty());
    CHECK(no_child_is_left());
}

LEAT_TEST("a run_process in a cancelled task starts nothing", on(kernel)) {
    const bool started = (co_await leat::move_on_after(0s, run_process({"/no/such/program"}))).has_value();
    CHECK_FALSE(started);
}

LEAT_TEST("the error of a program that is missing comes from the co_await", on(kernel)) {
    std::string message;
    try {
        (void)co_await run_process({"/no/such/program"});
    } catch (const std::system_error& error) {
        message = error.what();
    }
    CHECK(message.find("/no/such/program") != std::string::npos);
}

LEAT_TEST("many programs at once, as a group", on(kernel)) {
    std::vector<int> numbers(30);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = static_cast<int>(i);
    }
    const auto answers =
        co_await leat::map_concurrently(numbers, 10, [](int number) -> leat::task<std::string> {
            const leat::process_result ended = co_await run_process({"echo", std::to_string(number)});
            co_return ended.output;
        });
    int right = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        right += answers[i] == std::to_string(i) + "\n" ? 1 : 0;
    }
    CHECK(right == 30);
    CHECK(no_child_is_left());
}
