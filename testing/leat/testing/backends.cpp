// SPDX-License-Identifier: MIT
#include <leat/testing/backends.hpp>

#include <leat/backends/choose.hpp>
#include <leat/backends/simulated/simulation.hpp>

#include <filesystem>

namespace leat::testing {

namespace {

tried_backend attempt(std::string_view name) {
    try {
        (void)make_backend(name);
        return {std::string(name), ""};
    } catch (const std::exception& error) {
        return {std::string(name), error.what()};
    }
}

}  // namespace

const std::vector<tried_backend>& backends() {
    static const std::vector<tried_backend> tried = {attempt("epoll"), attempt("uring")};
    return tried;
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all))) + open_simulated_sockets();
}

}  // namespace leat::testing
