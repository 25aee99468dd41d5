// SPDX-License-Identifier: MIT
#include <leat/http/idn.hpp>

#include <leat/http/error.hpp>
#include <leat/http/text.hpp>

#include <algorithm>
#include <memory>
#include <new>

#if LEAT_HAS_IDN
#include <idn2.h>
#endif

namespace leat::http {
namespace {

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

#if LEAT_HAS_IDN
struct freed_by_libidn2 {
    void operator()(void* text) const noexcept { idn2_free(text); }
};
#endif

}  // namespace

result<std::string> ascii_label(std::string_view label) {
    const auto refused = is_ascii(label) ? url_error::bad_host : url_error::non_ascii_host;
#if LEAT_HAS_IDN
    const std::string text(label);
    if (text.find('\0') != text.npos) {
        return make_error_code(url_error::bad_host);
    }
    // Symbols are no part of IDNA 2008, but names with them exist, and are known by their "xn--" form.
    const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_NO_ALABEL_ROUNDTRIP;
    std::uint8_t* made = nullptr;
    const int outcome = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &made, flags);
    const std::unique_ptr<std::uint8_t, freed_by_libidn2> owner(made);
    if (outcome == IDN2_MALLOC) {
        throw std::bad_alloc();
    }
    if (outcome != IDN2_OK) {
        return make_error_code(refused);
    }
    return std::string(reinterpret_cast<const char*>(made));
#else
    if (refused == url_error::non_ascii_host) {
        return make_error_code(refused);
    }
    std::string lower(label);
    std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
    return lower;
#endif
}

}  // namespace leat::http
