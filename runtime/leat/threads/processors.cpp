// SPDX-License-Identifier: MIT
#include <leat/threads/processors.hpp>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace leat {

namespace {

// The processors that a thread may use; empty when the kernel does not tell.
std::vector<std::size_t> allowed_processors(pid_t thread) {
    for (std::size_t words = 16; words <= 4096; words *= 2) {  // the kernel refuses a set that is too small
        std::vector<unsigned long> set(words);
        const std::size_t bytes = words * sizeof(unsigned long);
        if (::sched_getaffinity(thread, bytes, reinterpret_cast<cpu_set_t*>(set.data())) == 0) {
            std::vector<std::size_t> allowed;
            for (std::size_t i = 0; i < bytes * CHAR_BIT; ++i) {
                const std::size_t per_word = sizeof(unsigned long) * CHAR_BIT;
                if ((set[i / per_word] >> i % per_word & 1) != 0) {
                    allowed.push_back(i);
                }
            }
            return allowed;
        }
    }
    return {};
}

void allow_processors(const std::vector<std::size_t>& allowed) {
    constexpr std::size_t per_word = sizeof(unsigned long) * CHAR_BIT;
    std::vector<unsigned long> set(allowed.empty() ? 0 : allowed.back() / per_word + 1);
    for (const std::size_t each : allowed) {
        set[each / per_word] |= 1UL << each % per_word;
    }
    ::sched_setaffinity(0, set.size() * sizeof(unsigned long), reinterpret_cast<cpu_set_t*>(set.data()));
}

std::string content(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

unsigned quotient(std::int64_t quota, std::int64_t period) {
    return quota > 0 && period > 0
               ? static_cast<unsigned>(std::min<std::int64_t>((quota - 1) / period + 1, UINT_MAX))
               : 0;
}

unsigned quota_in(const std::string& folder, bool second_version) {
    std::int64_t quota = 0;
    std::int64_t period = 0;
    if (second_version) {
        std::istringstream(content(folder + "/cpu.max")) >> quota >> period;  // "max 100000": not a number
    } else {
        std::istringstream(content(folder + "/cpu.cfs_quota_us")) >> quota;  // -1: none
        std::istringstream(content(folder + "/cpu.cfs_period_us")) >> period;
    }
    return quotient(quota, period);
}

// The least quota of a group and of those around it. In a container the path may be one of the host's, of
// which only the mount itself is to be seen; it is asked at last in any case.
unsigned least_quota(const std::string& mount, std::string path, bool second_version) {
    unsigned least = 0;
    for (;;) {
        if (const unsigned quota = quota_in(mount + path, second_version); quota != 0) {
            least = least == 0 ? quota : std::min(least, quota);
        }
        if (path.empty()) {
            return least;
        }
        path.erase(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
    }
}

bool lists_cpu(const std::string& controllers) {
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
        if (name == "cpu") {
            return true;
        }
    }
    return false;
}

}  // namespace

namespace detail {

// Each line is ID:CONTROLLERS:PATH; version 2 has the id 0 and no controllers (cgroups(7)).
unsigned processors_granted(const std::string& cgroups, const std::string& mounts) {
    std::istringstream lines(cgroups);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
        const bool second_version = controllers.empty();
        if (!second_version && !lists_cpu(controllers)) {
            continue;
        }
        const std::string mount = second_version ? mounts : mounts + "/" + controllers;
        if (const unsigned granted = least_quota(mount, path, second_version)) {
            return granted;
        }
        if (const unsigned granted = second_version ? 0 : least_quota(mounts + "/cpu", path, false)) {
            return granted;
        }
    }
    return 0;
}

void run_on_any_processor() noexcept {
    try {
        allow_processors(allowed_processors(::getpid()));
    } catch (...) {  // no memory: it stays where its maker may run
    }
}

void run_on_processor(unsigned index) noexcept {
    try {
        const std::vector<std::size_t> allowed = allowed_processors(0);
        if (!allowed.empty()) {
            allow_processors({allowed[index % allowed.size()]});
        }
    } catch (...) {  // no memory: it is not pinned
    }
}

}  // namespace detail

unsigned usable_processors() {
    const auto allowed =
        static_cast<unsigned>(std::max<std::size_t>(1, allowed_processors(::getpid()).size()));
    const unsigned granted = detail::processors_granted(content("/proc/self/cgroup"), "/sys/fs/cgroup");
    return granted == 0 ? allowed : std::min(allowed, granted);
}

}  // namespace leat
