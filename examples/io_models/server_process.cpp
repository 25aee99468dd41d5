// SPDX-License-Identifier: MIT
#include "server_process.hpp"

#include "limits.hpp"
#include "sockets.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace io_models {

namespace {

// The number in KiB behind `name` in a file of /proc; 0 when the process has ended.
std::size_t kibibytes(pid_t process, const char* file, std::string_view name) {
    std::ifstream lines("/proc/" + std::to_string(process) + "/" + file);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name)) {
            return std::strtoul(line.c_str() + name.size(), nullptr, 10);
        }
    }
    return 0;
}

}  // namespace

leat::fd listen_on(int port) {
    leat::fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 4096) != 0) {
        fail("listen");
    }
    return listener;
}

sockaddr_in place_of(int listener) {
    sockaddr_in place{};
    socklen_t size = sizeof place;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size) != 0) {
        fail("getsockname");
    }
    return place;
}

server_process::server_process(const model& which, allowance most)
    : standard_error_(::memfd_create("standard error", MFD_CLOEXEC)) {
    leat::fd listener = listen_on(0);
    place_ = place_of(listener.get());
    if (!standard_error_) {
        fail("memfd_create");
    }
    std::fflush(stdout);
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);  // its children become ours when it has ended
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
        fail("fork");
    }
    if (pid_ == 0) {
        run(which, listener.release(), most, parent);
    }
}

void server_process::run(const model& which, int listener, allowance most, pid_t parent) const {
    (void)::dup2(standard_error_.get(), STDERR_FILENO);
    (void)::dup2(listener, STDERR_FILENO + 1);
    (void)::close_range(STDERR_FILENO + 2, ~0U, 0);  // so its clients begin at descriptor 4
    try {
        allow_at_most(most);
        // Last, because a change of user takes it back.
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) {
            which.serve(STDERR_FILENO + 1);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
}

server_process::~server_process() {
    (void)::kill(pid_, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0) {  // the kernel kills its children with it
    }
}

std::vector<pid_t> server_process::processes() const {
    std::vector<pid_t> found = {pid_};
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const pid_t process = std::atoi(entry.path().filename().c_str());
        std::ifstream file;
        if (process > 0) {
            file.open(entry.path() / "stat");
        }
        std::string line;
        std::getline(file, line);  // PID (NAME) STATE PARENT ...
        const std::size_t name_end = line.rfind(')');
        if (name_end != std::string::npos && std::atoi(line.c_str() + name_end + 4) == pid_) {
            found.push_back(process);
        }
    }
    return found;
}

std::chrono::nanoseconds server_process::cpu_time(const std::vector<pid_t>& processes) {
    std::chrono::nanoseconds sum{};
    for (const pid_t process : processes) {
        clockid_t clock{};
        timespec used{};
        if (::clock_getcpuclockid(process, &clock) == 0 && ::clock_gettime(clock, &used) == 0) {
            sum += std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
        }
    }
    return sum;
}

std::size_t server_process::memory(const std::vector<pid_t>& processes) {
    std::size_t sum = 0;
    for (const pid_t process : processes) {
        sum += kibibytes(process, "smaps_rollup", "Pss:") + kibibytes(process, "status", "VmPTE:");
    }
    return sum * 1024;
}

int server_process::highest_descriptor() const {
    int highest = -1;
    const std::string folder = "/proc/" + std::to_string(pid_) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        highest = std::max(highest, std::atoi(entry.path().filename().c_str()));
    }
    return highest;
}

std::string server_process::complaint() const {
    char text[500];
    const ssize_t size = ::pread(standard_error_.get(), text, sizeof text, 0);
    std::string line(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    return line.substr(0, line.find('\n'));
}

}  // namespace io_models
