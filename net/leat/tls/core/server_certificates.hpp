// SPDX-License-Identifier: MIT
// server_certificates: the certificates of a server's context, of which a client is shown those for the name
// that it asks for (SNI). Used by context.cpp only, and by OpenSSL in each handshake.
// Invariant: once made it does not change, so sessions of several threads use it.
#pragma once

#include <leat/tls/context.hpp>
#include <leat/tls/core/key_pair.hpp>
#include <leat/tls/core/ocsp_response.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace leat::tls::detail {

class server_certificates {
public:
    // Reads what the options name. Throws tls::error.
    explicit server_certificates(const server_options& options);
    server_certificates(const server_certificates&) = delete;
    server_certificates& operator=(const server_certificates&) = delete;

    // Lets `handle` show them; `this` lives as long as it does. Throws tls::error.
    void show_on(ssl_ctx_st* handle) const;

private:
    struct shown {
        key_pair pair;
        std::optional<ocsp_response> ocsp;
    };
    // Those for one name, of different kinds.
    using group = std::vector<const shown*>;

    static void add(group& to, const shown& each);
    void add(const shown& each);
    // Null when there is none for that name.
    [[nodiscard]] const group* find(std::string_view host) const noexcept;
    [[nodiscard]] const group& of(const ssl_st* ssl) const noexcept;
    void merge_wildcards();

    // What OpenSSL calls, with our address.
    static int on_server_name(ssl_st* ssl, int* alert, void* self) noexcept;
    static int on_certificate(ssl_st* ssl, void* self) noexcept;
    static int on_ocsp_request(ssl_st* ssl, void* self) noexcept;

    std::vector<shown> all_;
    std::map<std::string, group, std::less<>> by_host_;  // names in lower case
    group first_;                                        // for other names, and for no name
    bool refuse_unknown_names_;
};

}  // namespace leat::tls::detail
