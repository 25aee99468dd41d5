// SPDX-License-Identifier: MIT
// printed_by: what a program that is compiled into a test writes to standard output.
#pragma once

#include <leat/fd.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace leat::testing {

// Calls `program`, whose exit status must be 0.
template <std::invocable Program>
std::string printed_by(Program program) {
    const fd written(::memfd_create("printed", MFD_CLOEXEC));
    const fd before(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    REQUIRE(written.get() >= 0);
    REQUIRE(before.get() >= 0);
    (void)std::fflush(stdout);
    REQUIRE(::dup2(written.get(), STDOUT_FILENO) >= 0);
    const int status = program();
    (void)std::fflush(stdout);
    REQUIRE(::dup2(before.get(), STDOUT_FILENO) >= 0);
    CHECK(status == 0);
    std::string text(4096, ' ');
    const ssize_t size = ::pread(written.get(), text.data(), text.size(), 0);
    REQUIRE(size >= 0);
    text.resize(static_cast<std::size_t>(size));
    return text;
}

}  // namespace leat::testing
