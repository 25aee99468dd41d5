// SPDX-License-Identifier: MIT
// backends: runs one test body on every backend, from any test framework. For a backend that this kernel
// refuses the reason is given.
#pragma once

#include <leat/run.hpp>
#include <leat/testing/leaks.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

// Which backends a test runs on: on(epoll, simulated).
class backend_set {
public:
    constexpr explicit backend_set(unsigned members) noexcept : members_(members) {}
    [[nodiscard]] constexpr bool has(backend_set one) const noexcept {
        return (members_ & one.members_) != 0;
    }
    friend constexpr backend_set operator|(backend_set a, backend_set b) noexcept {
        return backend_set(a.members_ | b.members_);
    }

private:
    unsigned members_;
};

inline constexpr backend_set epoll(1);
inline constexpr backend_set uring(2);
inline constexpr backend_set simulated(4);
inline constexpr backend_set poll(8);
inline constexpr backend_set uring_plain(16);  // io_uring with its newer features off, as on an old kernel
// For tests that need a descriptor of the kernel (a pipe, a process, a system call on a socket), a signal, or
// another thread.
inline constexpr backend_set kernel = epoll | poll | uring | uring_plain;
inline constexpr backend_set every_backend = kernel | simulated;

template <std::same_as<backend_set>... More>
[[nodiscard]] constexpr backend_set on(backend_set first, More... more) noexcept {
    return (first | ... | more);
}

// One backend for a test to run on.
struct tried_backend {
    backend_set which;
    std::string name;
    std::string refused;  // why it cannot run here; empty when it can
};

// Those of `chosen`; the ones on the kernel of this machine are tried once in this process.
[[nodiscard]] std::vector<tried_backend> backends(backend_set chosen = kernel);

// run(body) on that backend, which is not refused. In a simulation the time of day begins at the real one,
// because tests make certificates that are valid now. A signal that ends the program meanwhile, of a failed
// check() too, first tells the backend on standard error.
void run_on(const tried_backend& one, task<> (*body)());

}  // namespace leat::testing
