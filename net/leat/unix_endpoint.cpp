// SPDX-License-Identifier: MIT
#include <leat/unix_endpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <system_error>

namespace leat {

namespace {

constexpr std::size_t path_begins = offsetof(sockaddr_un, sun_path);

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
    throw std::invalid_argument("\"" + std::string(name) + "\" is not the name of a Unix socket: " + why);
}

}  // namespace

unix_endpoint::unix_endpoint(std::string_view name, bool in_abstract) {
    if (name.empty()) {
        refuse(name, "it is empty");
    }
    if (name.size() > longest) {
        refuse(name, "it has " + std::to_string(name.size()) + " bytes, and " + std::to_string(longest) +
                         " are the most");
    }
    if (!in_abstract && name.find('\0') != name.npos) {
        refuse(name.substr(0, name.find('\0')), "there is a zero behind that");
    }
    std::copy(name.begin(), name.end(), storage_.sun_path + (in_abstract ? 1 : 0));
    length_ = name.size() + (in_abstract ? 1 : 0);
}

// A path ends with its first zero, or where the name ends; an abstract name is all there is.
unix_endpoint unix_endpoint::from_sockaddr(const sockaddr* name, socklen_t size) {
    if (name == nullptr || size < path_begins || name->sa_family != AF_UNIX) {
        throw std::system_error(std::make_error_code(std::errc::address_family_not_supported),
                                "a socket name that is not of the Unix domain");
    }
    const std::string_view text(reinterpret_cast<const char*>(name) + path_begins,
                                std::min<std::size_t>(size - path_begins, longest + 1));
    unix_endpoint made;
    const bool is_path = !text.empty() && text.front() != '\0';
    made.length_ = is_path ? std::min(text.find('\0'), text.size()) : text.size();
    std::copy_n(text.begin(), made.length_, made.storage_.sun_path);
    return made;
}

socklen_t unix_endpoint::size() const noexcept {
    return static_cast<socklen_t>(path_begins + length_ + (is_path() && length_ <= longest ? 1 : 0));
}

std::string unix_endpoint::to_string() const {
    if (text().empty()) {
        return "nowhere";
    }
    return (is_abstract() ? "@" : "") + std::string(name());
}

}  // namespace leat
