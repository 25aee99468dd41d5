// SPDX-License-Identifier: MIT
// check_aborts: that a program, in a child process, aborts with one line that names a broken rule.
#pragma once

#include "child_process.hpp"

#include <leat/run.hpp>

#include <csignal>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace leat::testing {

// Whether `program` aborts with one line that names a file, a line and `rule`.
template <typename Program>
void check_aborts(Program program, std::string_view rule) {
    const auto ended = run_in_child(program);
    INFO("it wrote: ", ended.errors);
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors.find(rule) != std::string::npos);
    CHECK(ended.errors.starts_with("leat: "));
    CHECK(ended.errors.find("pp:") != std::string::npos);
}

// The same of the main task of a run.
template <typename Body>
void check_task_aborts(Body body, std::string_view rule) {
    check_aborts([&] { run(body); }, rule);
}

}  // namespace leat::testing
