// SPDX-License-Identifier: MIT
// unix_endpoint: where a socket of the Unix domain is: at a path, at a name in the abstract namespace of
// Linux, which is no file, or nowhere. It holds the sockaddr_un that the kernel wants, so it never allocates.
// Beside it unix_credentials: who is there.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

namespace leat {

class unix_endpoint {
public:
    // The bytes that a path or an abstract name may have.
    static constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;

    // Nowhere: what most clients are. A listener that is bound there is given an abstract name.
    unix_endpoint() noexcept = default;

    // "/run/service.socket", or relative to the current directory. Throws std::invalid_argument naming a path
    // that is empty, too long, or has a zero in it.
    template <std::convertible_to<std::string_view> Path>
    unix_endpoint(const Path& path) : unix_endpoint(std::string_view(path), false) {}

    // The name as it is, without the zero or the "@" that programs write before it. Throws
    // std::invalid_argument naming one that is empty or too long.
    [[nodiscard]] static unix_endpoint abstract(std::string_view name) { return {name, true}; }

    // What getsockname(2) and the like fill in. Throws std::system_error with address_family_not_supported
    // for another family.
    [[nodiscard]] static unix_endpoint from_sockaddr(const sockaddr* name, socklen_t size);

    [[nodiscard]] bool is_path() const noexcept { return !text().empty() && text().front() != '\0'; }
    [[nodiscard]] bool is_abstract() const noexcept { return !text().empty() && text().front() == '\0'; }
    // The path, or the abstract name; empty for nowhere.
    [[nodiscard]] std::string_view name() const noexcept { return text().substr(is_abstract() ? 1 : 0); }

    // For bind(2) and connect(2).
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] socklen_t size() const noexcept;

    // The path, "@" and the abstract name, or "nowhere".
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const unix_endpoint& a, const unix_endpoint& b) noexcept {
        return a.text() == b.text();
    }

private:
    unix_endpoint(std::string_view name, bool in_abstract);

    // With the zero that an abstract name begins with.
    [[nodiscard]] std::string_view text() const noexcept { return {storage_.sun_path, length_}; }

    sockaddr_un storage_{.sun_family = AF_UNIX, .sun_path = {}};
    std::size_t length_ = 0;
};

// The process at the other end, as it was when it connected or listened.
struct unix_credentials {
    pid_t process = 0;
    uid_t user = 0;
    gid_t group = 0;
};

}  // namespace leat
