// SPDX-License-Identifier: MIT
#include <leat/systemd_listeners.hpp>

#include <leat/core/number.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace leat {

namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr std::uint32_t most_descriptors = 1u << 20;
constexpr const char* nameless = "unknown";  // as sd_listen_fds_with_names(3) says it

// The value of a variable, which is gone then.
std::optional<std::string> take_variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string taken(value);
    ::unsetenv(name);
    return taken;
}

std::uint32_t number_in(const char* name, const std::string& text) {
    const auto number = detail::parse_number<std::uint32_t>(text);
    if (!number.has_value()) {
        throw std::runtime_error(std::string(name) + " is no number: \"" + text + "\"");
    }
    return *number;
}

std::vector<std::string> split(std::string_view listed) {
    std::vector<std::string> names(1);
    for (const char each : listed) {
        if (each == ':') {
            names.emplace_back();
        } else {
            names.back() += each;
        }
    }
    return names;
}

int option_of(int fd, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

passed_listeners::kind passed_listeners::kind_of(int fd) noexcept {
    const int family = option_of(fd, SO_DOMAIN);
    const int type = option_of(fd, SO_TYPE);
    const bool is_ip = family == AF_INET || family == AF_INET6;
    if (type == SOCK_DGRAM && is_ip) {
        return kind::udp;
    }
    if (type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 && (is_ip || family == AF_UNIX)) {
        return is_ip ? kind::tcp : kind::local;
    }
    return kind::other;
}

std::vector<std::string> passed_listeners::names() const {
    std::vector<std::string> all;
    for (const passed& each : sockets_) {
        all.push_back(each.name);
    }
    return all;
}

template <typename Socket>
std::optional<Socket> passed_listeners::take(kind wanted, std::string_view name) {
    const auto found = std::ranges::find_if(sockets_, [&](const passed& each) {
        return each.what == wanted && (name.empty() || each.name == name);
    });
    if (found == sockets_.end()) {
        return std::nullopt;
    }
    std::optional<Socket> taken(Socket::from_fd(found->descriptor.get()));
    (void)found->descriptor.release();
    sockets_.erase(found);
    return taken;
}

std::optional<tcp_listener> passed_listeners::take_tcp(std::string_view name) {
    return take<tcp_listener>(kind::tcp, name);
}

std::optional<unix_listener> passed_listeners::take_unix(std::string_view name) {
    return take<unix_listener>(kind::local, name);
}

std::optional<udp_socket> passed_listeners::take_udp(std::string_view name) {
    return take<udp_socket>(kind::udp, name);
}

fd passed_listeners::take_any(std::string_view name) {
    const auto found =
        std::ranges::find_if(sockets_, [&](const passed& each) { return name.empty() || each.name == name; });
    if (found == sockets_.end()) {
        return {};
    }
    fd taken = std::move(found->descriptor);
    sockets_.erase(found);
    return taken;
}

passed_listeners systemd_listeners() {
    const std::optional<std::string> process = take_variable("LISTEN_PID");
    const std::optional<std::string> listed_count = take_variable("LISTEN_FDS");
    const std::optional<std::string> listed_names = take_variable("LISTEN_FDNAMES");
    passed_listeners all;
    if (!process.has_value() || !listed_count.has_value() ||
        number_in("LISTEN_PID", *process) != static_cast<std::uint32_t>(::getpid())) {
        return all;
    }
    const std::uint32_t count = number_in("LISTEN_FDS", *listed_count);
    if (count > most_descriptors) {
        throw std::runtime_error("LISTEN_FDS is too large: " + *listed_count);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const int number = first_descriptor + static_cast<int>(i);
        if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
            throw std::runtime_error("LISTEN_FDS is " + *listed_count + ", but descriptor " +
                                     std::to_string(number) + " is not open");
        }
        all.sockets_.push_back({nameless, fd(number), passed_listeners::kind_of(number)});
    }
    if (listed_names.has_value() && count > 0) {
        const std::vector<std::string> names = split(*listed_names);
        if (names.size() != count) {
            throw std::runtime_error("LISTEN_FDNAMES has " + std::to_string(names.size()) +
                                     " names, but LISTEN_FDS is " + *listed_count);
        }
        for (std::size_t i = 0; i < count; ++i) {
            all.sockets_[i].name = names[i];
        }
    }
    return all;
}

}  // namespace leat
