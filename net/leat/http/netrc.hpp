// SPDX-License-Identifier: MIT
// netrc: names and passwords by host, as ~/.netrc has them for curl, wget and ftp. A client sends them to the
// hosts that they are for:
//
//     leat::http::client client;
//     client.use_netrc(co_await leat::http::netrc::load(home + "/.netrc"));
#pragma once

#include <leat/task.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

struct netrc_login {
    std::string user;  // without a colon
    std::string password;
    friend bool operator==(const netrc_login&, const netrc_login&) noexcept = default;
};

class netrc {
public:
    static constexpr std::size_t size_max = std::size_t(1) << 20;

    // None.
    netrc() = default;
    // Reads words with blanks or line ends between them: "machine" and a host, or "default", then "login" (or
    // "user"), "password" and "account", each with its value; "macdef" and all up to an empty line is passed
    // over, and so is the rest of a line behind a # where no value is due. A value in double quotes may have
    // blanks, and \" \\ \n \r \t. Throws std::invalid_argument as "netrc line 3: ..." for anything else; no
    // value is shown.
    [[nodiscard]] static netrc parse(std::string_view text);
    // The same from a file of at most size_max bytes; the text names it. Throws std::system_error naming it.
    [[nodiscard]] static task<netrc> load(std::string path);

    // Throws std::invalid_argument for a user with a colon.
    void add(std::string_view host, netrc_login login);
    // The same, unless there is one.
    void set_default(netrc_login login);

    // The first one for this host, in any case, or of those for this user if one is given; null: there is
    // none. The default is for no host in particular.
    [[nodiscard]] const netrc_login* find(std::string_view host, std::string_view user = {}) const;
    [[nodiscard]] const netrc_login* find_default(std::string_view user = {}) const;

private:
    class reader;

    std::map<std::string, std::vector<netrc_login>, std::less<>> by_host_;  // in lower case
    std::optional<netrc_login> default_;
};

}  // namespace leat::http
