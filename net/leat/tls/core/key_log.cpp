// SPDX-License-Identifier: MIT
#include <leat/tls/core/key_log.hpp>

#include <leat/result.hpp>
#include <leat/tls/core/context_settings.hpp>
#include <leat/tls/error.hpp>

#include <openssl/ssl.h>

#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace leat::tls::detail {

key_log::key_log(std::string_view path)
    : descriptor_(::open(std::string(path).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {
    if (!descriptor_) {
        const std::error_code why = errno_code(errno);
        throw error(why, "cannot write the key log in " + printable(path, 300) + ": " + why.message());
    }
}

void key_log::on_line(const ssl_st* ssl, const char* line) noexcept {
    const context_settings& settings = settings_of(SSL_get_SSL_CTX(ssl));
    char end = '\n';
    const iovec parts[] = {{const_cast<char*>(line), std::strlen(line)}, {&end, 1}};
    (void)!::writev(settings.secrets->descriptor_.get(), parts, 2);
}

}  // namespace leat::tls::detail
