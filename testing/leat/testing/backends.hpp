// SPDX-License-Identifier: MIT
// backends: running one test body on every backend, from any test framework. A backend that this kernel
// refuses is skipped, with the reason.
#pragma once

#include <leat/run.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

// One backend for a test to run on.
struct tried_backend {
    std::string name;
    std::string refused;  // why it cannot run here; empty when it can
};

// The backends on the kernel of this machine, each tried once in this process.
[[nodiscard]] const std::vector<tried_backend>& backends();

// The descriptors that are open in this process, with those that this thread simulates; a test that ends with
// more has leaked.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace leat::testing
