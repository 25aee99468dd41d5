// SPDX-License-Identifier: MIT
// A folder of files with a server that gives them, for as long as a test asks for them, and what stands in
// its answers.
#pragma once

#include "../../support/any_folder.hpp"
#include "serving.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace leat::testing {

inline std::string bytes_of(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>('a' + i * 7 / 3 % 26);
    }
    return bytes;
}

inline std::string field_in(std::string_view all, std::string_view name) {
    all = all.substr(0, all.find("\r\n\r\n") + 2);
    const std::size_t at = all.find("\r\n" + std::string(name) + ": ");
    if (at == all.npos) {
        return "none";
    }
    const std::string_view rest = all.substr(at + name.size() + 4);
    return std::string(rest.substr(0, rest.find("\r\n")));
}

inline std::string body_of(std::string_view all) {
    return std::string(all.substr(all.find("\r\n\r\n") + 4));
}

inline int status_in(std::string_view all) {
    return std::stoi(std::string(all.substr(9, 3)));
}

// The answer to a request with further fields, each with its line end.
inline task<std::string> ask(endpoint where, std::string target, std::string fields = {},
                             std::string method = "GET") {
    return answers_to(
        where, method + " " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
}

using site_test = std::function<task<>(endpoint where, const any_folder& files)>;

// Serves the folder "root" of a new one, beside which there is a file "secret".
inline task<> with_site(http::static_options options, site_test body) {
    any_folder files;
    co_await files.make();
    co_await leat::write_file(files.path("secret"), "secret");
    co_await leat::make_folder(files.path("root"));
    co_await leat::write_file(files.path("root/index.html"), "<p>index");
    co_await leat::write_file(files.path("root/page.txt"), "0123456789");
    co_await leat::write_file(files.path("root/a b.txt"), "blank");
    co_await leat::write_file(files.path("root/.hidden"), "hidden");
    co_await leat::make_folder(files.path("root/below"));
    co_await leat::write_file(files.path("root/below/index.html"), "<p>below");
    co_await leat::make_folder(files.path("root/.well-known"));
    co_await leat::write_file(files.path("root/.well-known/x.json"), "{}");
    const http::static_files site = co_await http::static_files::open(files.path("root"), options);
    co_await serving(site, unattended, [&](endpoint where) { return body(where, files); });
}

}  // namespace leat::testing
