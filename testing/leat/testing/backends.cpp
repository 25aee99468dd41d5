// SPDX-License-Identifier: MIT
#include <leat/testing/backends.hpp>

#include <leat/backends/choose.hpp>
#include <leat/testing/core/child_errors.hpp>
#include <leat/testing/core/crash_note.hpp>
#include <leat/testing/simulation.hpp>

#include <algorithm>
#include <iterator>

namespace leat::testing {

namespace {

tried_backend attempt(backend_set which, std::string_view name) {
    try {
        (void)make_backend(name);
        return {which, std::string(name), ""};
    } catch (const std::exception& error) {
        return {which, std::string(name), error.what()};
    }
}

}  // namespace

std::vector<tried_backend> backends(backend_set chosen) {
    static const std::vector<tried_backend> tried = {attempt(epoll, "epoll"),
                                                     attempt(poll, "poll"),
                                                     attempt(uring, "uring"),
                                                     attempt(uring_plain, "uring-plain"),
                                                     {simulated, "simulated", ""}};
    std::vector<tried_backend> found;
    std::copy_if(tried.begin(), tried.end(), std::back_inserter(found),
                 [=](const tried_backend& each) { return chosen.has(each.which); });
    return found;
}

void run_on(const tried_backend& one, task<> (*body)()) {
    detail::crash_note note;
    note.say({"leat: crashed on the backend ", one.name});
    detail::run_with_child_errors([&] {
        if (simulated.has(one.which)) {
            simulation world({.wall_start = std::chrono::system_clock::now()});
            run_simulated(world, body);
        } else {
            run(body, {.backend = one.name});
        }
    });
}

}  // namespace leat::testing
