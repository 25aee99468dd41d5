// SPDX-License-Identifier: MIT
#include <leat/http/core/set_cookie.hpp>

#if LEAT_HAS_PSL
#include <libpsl.h>
#endif

namespace leat::http::detail {

bool is_public_suffix(const std::string& domain) {
#if LEAT_HAS_PSL
    // The list that the library was built with: that of the system would have to be read from a file.
    const ::psl_ctx_t* const list = ::psl_builtin();
    if (list != nullptr) {
        return ::psl_is_public_suffix(list, domain.c_str()) != 0;
    }
#endif
    return domain.find('.') == domain.npos;
}

}  // namespace leat::http::detail
