// SPDX-License-Identifier: MIT
// prepared_client: the HTTP client of leat-fetch, with all that the command line says of it.
#pragma once

#include <fetch/program/client_settings.hpp>

#include <leat/http/client.hpp>
#include <leat/http/cookie_jar.hpp>
#include <leat/task.hpp>

#include <cstddef>

namespace fetch {

class prepared_client {
public:
    // `from` outlives it. Throws what leat::http::client does, std::system_error or std::invalid_argument for
    // hosts and interfaces that cannot be.
    prepared_client(const client_settings& from, bool compressed, std::size_t idle);

    // Reads the files with logins and cookies, once, before the first request. Throws std::system_error or
    // std::invalid_argument, which name the file.
    [[nodiscard]] leat::task<> load();
    // Writes the cookies, at the end. Throws std::system_error.
    [[nodiscard]] leat::task<> save();

    [[nodiscard]] leat::http::client& client() noexcept { return client_; }

private:
    void set_proxies();

    const client_settings& from_;
    leat::http::client client_;
    leat::http::cookie_jar cookies_;
};

}  // namespace fetch
