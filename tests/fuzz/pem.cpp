// SPDX-License-Identifier: MIT
// Text from a stranger as certificates, as a key and as an OCSP response: they are read or refused with an
// error of one line, and what a certificate says about its owner is shown harmlessly.
#include <leat/check.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/tls/core/certificate_names.hpp>
#include <leat/tls/core/ocsp_response.hpp>
#include <leat/tls/core/pem_reader.hpp>
#include <leat/tls/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using leat::check;

namespace {

void check_harmless(std::string_view shown) {
    check(std::ranges::all_of(shown, [](char c) { return c >= ' ' && c < 0x7f; }),
          "what is shown is harmless");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    try {
        const auto found = leat::tls::detail::read_certificates(leat::tls::pem::text(text), "certificate");
        check(!found.empty(), "there is a certificate, or an error");
        for (const auto& each : found) {
            check_harmless(leat::tls::detail::certificate_names(each.get()));
            check_harmless(leat::tls::detail::certificate_subject(each.get()));
        }
    } catch (const leat::tls::error& refused) {
        check_harmless(refused.what());
    }
    try {
        check(leat::tls::detail::read_key(leat::tls::pem::text(text)) != nullptr,
              "there is a key, or an error");
    } catch (const leat::tls::error& refused) {
        check_harmless(refused.what());
    }
    try {
        static const auto about = leat::tls::detail::read_certificates(
            leat::tls::pem::text(leat::testing::self_signed({"a.example"}).chain), "certificate");
        (void)leat::tls::detail::ocsp_response(leat::tls::der::bytes(text), about.front().get()).is_current();
    } catch (const leat::tls::error& refused) {
        check_harmless(refused.what());
    }
    return 0;
}
