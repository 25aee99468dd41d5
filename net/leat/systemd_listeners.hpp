// SPDX-License-Identifier: MIT
// systemd_listeners: the sockets that a service manager has opened for this program before it started it
// (socket activation, sd_listen_fds(3)), ready for serve().
//
//   auto listener = leat::systemd_listeners().take_tcp();  // empty: there is none
//
// The protocol is three environment variables and descriptors from 3 on, so this is our own, without
// libsystemd (notify.hpp says why).
#pragma once

#include <leat/fd.hpp>
#include <leat/tcp.hpp>
#include <leat/udp.hpp>
#include <leat/unix.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Owns the sockets that nobody has taken yet, in the order in which the units of the manager list them, and
// closes them. Each take_ function gives the first of its kind that is left; with a name, the first of that
// name (FileDescriptorName=, by default that of the socket unit). It throws std::system_error if the kernel
// refuses it.
class passed_listeners {
public:
    [[nodiscard]] bool empty() const noexcept { return sockets_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return sockets_.size(); }
    [[nodiscard]] std::vector<std::string> names() const;

    [[nodiscard]] std::optional<tcp_listener> take_tcp(std::string_view name = {});
    [[nodiscard]] std::optional<unix_listener> take_unix(std::string_view name = {});
    [[nodiscard]] std::optional<udp_socket> take_udp(std::string_view name = {});
    // Of any kind, for what is none of these; without a descriptor if none is left.
    [[nodiscard]] fd take_any(std::string_view name = {});

private:
    friend passed_listeners systemd_listeners();

    enum class kind : unsigned char { tcp, local, udp, other };
    struct passed {
        std::string name;
        fd descriptor;
        kind what;
    };
    static kind kind_of(int fd) noexcept;
    template <typename Socket>
    std::optional<Socket> take(kind wanted, std::string_view name);

    std::vector<passed> sockets_;
};

// Takes over what was passed to this process; a second call finds nothing. The variables are removed from the
// environment and the descriptors are closed in children, so that no child takes them for its own. Call it
// before other threads use the environment. Throws std::runtime_error for variables that contradict
// themselves or the descriptors that are there. Variables for another process (LISTEN_PID) count as none.
[[nodiscard]] passed_listeners systemd_listeners();

}  // namespace leat
