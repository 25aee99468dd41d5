// SPDX-License-Identifier: MIT
// told: what a process says that starts and stops a daemon, line by line. Each is a process of its own,
// because one with threads does not fork.
#pragma once

#include "../../crash/child_process.hpp"

#include <leat/runtime.hpp>
#include <leat/system/daemon.hpp>
#include <leat/system/notify.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace daemons {

inline bool in_child = false;  // for the leak sanitizer, see daemon_test.cpp

inline void say(const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
}

// A daemon of a test that forgets it ends by itself.
inline int until_term() {
    ::alarm(60);
    return leat::run_main([]() -> leat::task<> {
        leat::signal_set signals{SIGTERM};
        std::printf("at work\n");
        leat::notify_ready();
        co_await signals.next();
    });
}

inline std::string words(leat::daemon_status status) {
    switch (status) {
        case leat::daemon_status::running:
            return "running";
        case leat::daemon_status::dead:
            return "dead";
        case leat::daemon_status::stopped:
            return "stopped";
    }
    return "?";
}

inline std::string words(leat::daemon_end end) {
    switch (end) {
        case leat::daemon_end::was_not_running:
            return "was not running";
        case leat::daemon_end::ended:
            return "ended";
        case leat::daemon_end::killed:
            return "killed";
    }
    return "?";
}

std::string failure_of(const auto& call) {
    try {
        call();
        return "none";
    } catch (const std::exception& error) {
        return error.what();
    }
}

inline std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// What `use` says of the daemon, which is stopped in all cases.
std::string told(const leat::daemon_options& options, const auto& use) {
    return leat::testing::run_in_child([&] {
               in_child = true;
               leat::daemon service(options);
               try {
                   use(service);
               } catch (const std::exception& error) {
                   say(error.what());
               }
               (void)service.stop();
           })
        .errors;
}

}  // namespace daemons
