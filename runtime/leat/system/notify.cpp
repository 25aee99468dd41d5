// SPDX-License-Identifier: MIT
#include <leat/system/notify.hpp>

#include <leat/core/number.hpp>
#include <leat/fd.hpp>
#include <leat/result.hpp>
#include <leat/sleep.hpp>
#include <leat/system/core/daemon_process.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace leat {

namespace {

constexpr timeval longest_wait{.tv_sec = 2, .tv_usec = 0};

// A path, or "@" and a name in the abstract namespace.
socklen_t write_address(std::string_view where, sockaddr_un& address, const std::string& what) {
    if (where.front() != '/' && where.front() != '@') {
        throw std::system_error(errno_code(EAFNOSUPPORT), what);
    }
    const bool is_abstract = where.front() == '@';
    const std::size_t size = where.size() + (is_abstract ? 0 : 1);
    if (where.size() < 2 || size > sizeof address.sun_path) {
        throw std::system_error(errno_code(EINVAL), what);
    }
    std::memcpy(address.sun_path, where.data(), where.size());
    if (is_abstract) {
        address.sun_path[0] = '\0';
    }
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
}

std::optional<std::uint64_t> number_in(const char* name) {
    const char* const text = std::getenv(name);
    if (text == nullptr) {
        return std::nullopt;
    }
    const auto number = detail::parse_number<std::uint64_t>(text);
    if (!number.has_value()) {
        throw std::runtime_error(std::string(name) + " is no number: \"" + text + "\"");
    }
    return number;
}

}  // namespace

bool notify(std::string_view assignments) {
    const char* const where = std::getenv("NOTIFY_SOCKET");
    if (where == nullptr || *where == '\0') {
        return false;
    }
    const std::string what = std::string("notify the service manager at ") + where;
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const socklen_t size = write_address(where, address, what);
    const fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        throw std::system_error(errno_code(errno), what);
    }
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait);
    ssize_t sent = 0;
    do {
        sent = ::sendto(socket.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&address), size);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        throw std::system_error(errno_code(errno), what);
    }
    return true;
}

bool notify_ready() {
    detail::tell_starter();
    return detail::is_worker_process() || notify("READY=1");
}

bool notify_stopping() {
    return notify("STOPPING=1");
}

bool notify_reloading() {
    timespec now{};  // which the manager compares with its own clock, to tell one reload from the next
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = std::chrono::microseconds(std::chrono::seconds(now.tv_sec)).count();
    return notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds + now.tv_nsec / 1000));
}

bool notify_status(std::string_view text) {
    if (text.find('\n') != std::string_view::npos) {
        throw std::invalid_argument("a status is one line: \"" + std::string(text) + "\"");
    }
    return notify("STATUS=" + std::string(text));
}

bool notify_main_pid(pid_t process) {
    return notify("MAINPID=" + std::to_string(process));
}

std::optional<duration> watchdog_interval() {
    const std::optional<std::uint64_t> interval = number_in("WATCHDOG_USEC");
    const std::optional<std::uint64_t> process = number_in("WATCHDOG_PID");
    if (!interval.has_value() || *interval == 0 ||
        process.value_or(static_cast<std::uint64_t>(::getpid())) != static_cast<std::uint64_t>(::getpid())) {
        return std::nullopt;
    }
    return saturate(std::chrono::duration<std::uint64_t, std::micro>(*interval));
}

task<> keep_watchdog() {
    const std::optional<duration> interval = watchdog_interval();
    while (interval.has_value()) {
        try {
            notify("WATCHDOG=1");
        } catch (const std::system_error&) {  // the manager may be back for the next one
        }
        co_await sleep(*interval / 2);
    }
}

}  // namespace leat
