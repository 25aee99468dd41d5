// SPDX-License-Identifier: MIT
// request_error: what a client throws when a URL could not be fetched. Its code says what went wrong (an
// http::error, a url_error, a tls failure, errc::timed_out, the kernel's own), its text is one line that
// begins with the URL: "http://127.0.0.1:81/x: connect to 127.0.0.1:81: Connection refused".
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace leat::http {

class request_error : public std::system_error {
public:
    request_error(std::error_code code, const std::string& text) : std::system_error(code), text_(text) {}
    // The text alone: one line.
    [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;  // a string that copies without throwing
};

}  // namespace leat::http
