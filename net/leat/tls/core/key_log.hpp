// SPDX-License-Identifier: MIT
// key_log: the file that the secrets of sessions are appended to, for those who debug. Used by context.cpp
// only. Each line is one write(2) to the end of the file, so several threads and programs may share it.
#pragma once

#include <leat/fd.hpp>

#include <string_view>

struct ssl_st;

namespace leat::tls::detail {

class key_log {
public:
    // Opens the file, or makes it, readable for its owner alone. Throws tls::error that names it.
    explicit key_log(std::string_view path);

    // OpenSSL's key log callback. A line that cannot be written is lost.
    static void on_line(const ssl_st* ssl, const char* line) noexcept;

private:
    fd descriptor_;
};

}  // namespace leat::tls::detail
