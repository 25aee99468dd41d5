// SPDX-License-Identifier: MIT
#include <leat/tls/core/certificate_names.hpp>

#include <leat/tls/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

namespace leat::tls::detail {
namespace {

constexpr std::size_t names_max = 5;

struct names_free {
    void operator()(GENERAL_NAMES* old) const noexcept { GENERAL_NAMES_free(old); }
};
struct text_free {
    void operator()(BIO* old) const noexcept { BIO_free(old); }
};

std::string_view bytes_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string host_of(const GENERAL_NAME* name) {
    if (name->type == GEN_DNS) {
        return std::string(bytes_of(name->d.dNSName));
    }
    if (name->type != GEN_IPADD) {
        return {};
    }
    const std::string_view bytes = bytes_of(name->d.iPAddress);
    char text[INET6_ADDRSTRLEN] = "";
    if (bytes.size() == 4 || bytes.size() == 16) {
        inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
    }
    return text;
}

std::string text_of(const X509_NAME* name) {
    const std::unique_ptr<BIO, text_free> text(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(text.get(), &bytes);
    return size > 0 ? printable({bytes, static_cast<std::size_t>(size)}, 300) : std::string();
}

}  // namespace

std::vector<std::string> certificate_hosts(const x509_st* certificate) {
    const std::unique_ptr<GENERAL_NAMES, names_free> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> hosts;
    for (int at = 0; at < sk_GENERAL_NAME_num(names.get()); ++at) {
        std::string host = host_of(sk_GENERAL_NAME_value(names.get(), at));
        if (!host.empty()) {
            hosts.push_back(std::move(host));
        }
    }
    return hosts;
}

std::string certificate_names(const x509_st* certificate) {
    std::string list;
    std::size_t listed = 0;
    for (const std::string& host : certificate_hosts(certificate)) {
        if (++listed > names_max) {
            return list + ", ...";
        }
        list += (list.empty() ? "" : ", ") + printable(host);
    }
    return list;
}

std::string certificate_subject(const x509_st* certificate) {
    return text_of(X509_get_subject_name(certificate));
}

std::string certificate_issuer(const x509_st* certificate) {
    return text_of(X509_get_issuer_name(certificate));
}

std::optional<std::chrono::sys_seconds> certificate_end(const x509_st* certificate) {
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
        return std::nullopt;
    }
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&end)));
}

}  // namespace leat::tls::detail
