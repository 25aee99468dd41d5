// SPDX-License-Identifier: MIT
#include <leat/http/core/idn.hpp>

#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#if LEAT_HAS_IDN
#include <idn2.h>
#endif

namespace leat::http::detail {
namespace {

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

#if LEAT_HAS_IDN
struct freed_by_libidn2 {
    void operator()(void* text) const noexcept { idn2_free(text); }
};

std::optional<std::string> look_up(const std::string& label) {
    // Symbols are no part of IDNA 2008, but names with them exist, and are known by their "xn--" form.
    const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_NO_ALABEL_ROUNDTRIP;
    std::uint8_t* made = nullptr;
    const int outcome = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(label.c_str()), &made, flags);
    const std::unique_ptr<std::uint8_t, freed_by_libidn2> owner(made);
    if (outcome == IDN2_MALLOC) {
        throw std::bad_alloc();
    }
    return outcome == IDN2_OK ? std::optional(std::string(reinterpret_cast<const char*>(made)))
                              : std::nullopt;
}
#endif

}  // namespace

result<std::string> ascii_label(std::string_view label) {
    const auto refused = is_ascii(label) ? url_error::bad_host : url_error::non_ascii_host;
#if LEAT_HAS_IDN
    if (label.find('\0') != label.npos) {
        return make_error_code(url_error::bad_host);
    }
    auto made = look_up(std::string(label));
    // libidn2 makes forms, of '~' for one, that it does not take itself.
    if (!made || (made->find("xn--") != made->npos && look_up(*made) != made)) {
        return make_error_code(refused);
    }
    return std::move(*made);
#else
    if (refused == url_error::non_ascii_host) {
        return make_error_code(refused);
    }
    std::string lower(label);
    std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
    return lower;
#endif
}

}  // namespace leat::http::detail
