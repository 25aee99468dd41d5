// SPDX-License-Identifier: MIT
#include <leat/tls/core/pem_reader.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace leat::tls::detail {
namespace {

struct bio_free {
    void operator()(BIO* old) const noexcept { BIO_free(old); }
};
using bio_owner = std::unique_ptr<BIO, bio_free>;

[[noreturn]] void fail(std::string text) {
    ERR_clear_error();
    throw error(make_error_code(failure::configuration), text);
}

[[noreturn]] void fail_to_read(const given_bytes& source, std::string_view what) {
    const described_error cause = take_queued_error(failure::configuration);
    throw error(cause.code, "cannot read " + name_of(source, what) + ": " + cause.text);
}

bio_owner open(const given_bytes& source, std::string_view what) {
    ERR_clear_error();
    if (!source.is_file()) {
        const std::string_view text = source.value();
        return bio_owner(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    }
    const std::string path(source.value());
    bio_owner file(path.find('\0') == std::string::npos ? BIO_new_file(path.c_str(), "rb") : nullptr);
    if (file == nullptr) {
        fail_to_read(source, what);
    }
    return file;
}

bool found_nothing() {
    const unsigned long last = ERR_peek_last_error();
    return (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) ||
           ERR_GET_REASON(last) == ERR_R_UNSUPPORTED;
}

// In place of OpenSSL's own, which asks on the terminal and so would block.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

}  // namespace

void certificate_free::operator()(x509_st* old) const noexcept {
    X509_free(old);
}
void key_free::operator()(evp_pkey_st* old) const noexcept {
    EVP_PKEY_free(old);
}

std::string name_of(const given_bytes& source, std::string_view what) {
    if (!source.is_file()) {
        return "the given " + std::string(what);
    }
    return "the " + std::string(what) + " in " + printable(source.value(), 300);
}

std::vector<certificate_owner> read_certificates(const pem& source, std::string_view what) {
    const bio_owner text = open(source, what);
    std::vector<certificate_owner> found;
    bool asked = false;
    while (X509* each = PEM_read_bio_X509_AUX(text.get(), nullptr, no_password, &asked)) {
        found.emplace_back(each);
    }
    if (!found_nothing()) {
        const described_error cause = take_queued_error(failure::configuration);
        fail(name_of(source, what) + " cannot be used: " + cause.text);
    }
    ERR_clear_error();
    if (found.empty()) {
        fail(name_of(source, what) + " cannot be used: no certificate in PEM form");
    }
    return found;
}

std::string read_bytes(const der& source, std::string_view what) {
    const bio_owner from = open(source, what);
    std::string bytes;
    char part[4096];
    for (std::size_t count = 0; BIO_read_ex(from.get(), part, sizeof(part), &count) == 1;) {
        bytes.append(part, count);
    }
    if (ERR_peek_error() != 0) {
        fail_to_read(source, what);
    }
    return bytes;
}

key_owner read_key(const pem& source) {
    const bio_owner text = open(source, "key");
    bool asked = false;
    key_owner key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_password, &asked));
    if (key == nullptr) {
        const bool nothing = found_nothing();
        const described_error cause = take_queued_error(failure::configuration);
        fail(name_of(source, "key") + " cannot be used: " +
             (asked     ? "it is encrypted"
              : nothing ? "no private key in PEM form"
                        : cause.text));
    }
    ERR_clear_error();
    return key;
}

}  // namespace leat::tls::detail
