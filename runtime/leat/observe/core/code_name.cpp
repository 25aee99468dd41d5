// SPDX-License-Identifier: MIT
#include <leat/observe/core/code_name.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <cxxabi.h>
#include <dlfcn.h>

namespace leat::detail {

std::string code_name(const void* address) {
    Dl_info found{};
    if (::dladdr(address, &found) == 0) {
        return "?";
    }
    if (found.dli_sname == nullptr) {
        char offset[32];
        const auto distance = static_cast<const char*>(address) - static_cast<const char*>(found.dli_fbase);
        std::snprintf(offset, sizeof offset, "+0x%tx", distance);
        return std::string(found.dli_fname) + offset;
    }
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> plain(
        abi::__cxa_demangle(found.dli_sname, nullptr, nullptr, &status), std::free);
    return plain != nullptr ? plain.get() : found.dli_sname;
}

}  // namespace leat::detail
