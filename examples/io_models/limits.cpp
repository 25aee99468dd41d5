// SPDX-License-Identifier: MIT
#include "limits.hpp"

#include "sockets.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace io_models {

namespace {

void lower(decltype(RLIMIT_NOFILE) resource, rlim_t most) {
    const rlimit limit{most, most};
    if (::setrlimit(resource, &limit) != 0) {
        fail("setrlimit");
    }
}

// Processes and threads of a user.
std::size_t tasks_of(uid_t user) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        struct stat owner{};
        if (std::atoi(entry.path().filename().c_str()) == 0 || ::stat(entry.path().c_str(), &owner) != 0 ||
            owner.st_uid != user) {
            continue;
        }
        std::ifstream lines(entry.path() / "status");
        constexpr std::string_view name = "Threads:";
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name)) {
                count += std::strtoul(line.c_str() + name.size(), nullptr, 10);
            }
        }
    }
    return count;
}

void limit_processes(std::size_t most) {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 &&
        (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0)) {
        fail("setresuid");
    }
    lower(RLIMIT_NPROC, tasks_of(::getuid()) + most);
}

std::size_t address_space() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void allow_at_most(const allowance& most) {
    if (most.descriptors > 0) {
        lower(RLIMIT_NOFILE, most.descriptors);
    }
    if (most.address_space > 0) {
        lower(RLIMIT_AS, address_space() + most.address_space);
    }
    if (most.processes > 0) {
        limit_processes(most.processes);
    }
}

}  // namespace io_models
