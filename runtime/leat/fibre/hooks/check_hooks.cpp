// SPDX-License-Identifier: MIT
#include <leat/check.hpp>
#include <leat/fibre/describe_blocking.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <cstdio>
#include <cstring>
#include <string_view>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

namespace leat::detail {

namespace {

const void* address_of(auto function) noexcept {
    return reinterpret_cast<const void*>(function);
}

// The file that `address` was loaded from.
const char* object_of(const void* address) noexcept {
    Dl_info info{};
    return ::dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "nothing known";
}

// Whether we are in the program itself, linked as a static library, and not in a shared one.
bool in_main_program() noexcept {
    Dl_info info{};
    link_map* map = nullptr;
    return ::dladdr1(address_of(&leat_recv), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0 &&
           map != nullptr && map->l_prev == nullptr;
}

// A program that is not position-independent and takes the address of a shared library's function has a stub
// for it, which then is the address of that function everywhere. It leads to the first definition behind the
// program: to ours, if there is another one behind ours.
bool is_stub_for_ours(const void* found, const char* name) noexcept {
    Dl_info info{};
    const ElfW(Sym)* symbol = nullptr;
    const int known =
        ::dladdr1(found, &info, const_cast<void**>(reinterpret_cast<const void**>(&symbol)), RTLD_DL_SYMENT);
    return known != 0 && symbol != nullptr && symbol->st_shndx == SHN_UNDEF &&
           ::dlsym(RTLD_NEXT, name) != nullptr;
}

bool is_ours(const char* name, const void* ours) noexcept {
    const void* const found = ::dlsym(RTLD_DEFAULT, name);
    return found == ours || (found != nullptr && !in_main_program() && is_stub_for_ours(found, name));
}

[[noreturn]] void tell_missing(const char* name) noexcept {
    char text[512];
    const void* const found = ::dlsym(RTLD_DEFAULT, name);
    const char* const finds = found != nullptr ? object_of(found) : "none";
    if (in_main_program()) {
        (void)std::snprintf(
            text, sizeof text,
            "blocking: %s() would block the whole thread: libraries call that of %s and not leat's, "
            "which the program does not export. Link the program with "
            "-Wl,--export-dynamic-symbol=%s (or -rdynamic), and without --exclude-libs for "
            "libleat-blocking.a",
            name, finds, name);
    } else {
        (void)std::snprintf(
            text, sizeof text,
            "blocking: %s() would block the whole thread: it is that of %s and not leat's. Link "
            "the program itself with -Wl,--no-as-needed -lleat-blocking, not only a library that "
            "it uses or loads",
            name, finds);
    }
    check_failed(text, std::source_location::current());
}

}  // namespace

void check_hooks() noexcept {
    static const bool checked = [] {
        each_hook([](const char* name, auto /*place*/, auto ours) {
            if (!is_ours(name, address_of(ours))) {
                tell_missing(name);
            }
        });
        return true;
    }();
    (void)checked;
}

}  // namespace leat::detail

namespace leat {

std::string describe_blocking() {
    using namespace detail;
    std::string ours;
    std::string others;
    std::string_view behind;
    each_hook([&](const char* name, auto place, auto hook) {
        if (is_ours(name, address_of(hook))) {
            ours += ours.empty() ? "" : " ";
            ours += name;
        } else {
            const void* const found = ::dlsym(RTLD_DEFAULT, name);
            others += std::string("\nnot interposed: ") + name + ", which is that of " +
                      (found != nullptr ? object_of(found) : "no library");
        }
        if constexpr (!std::is_null_pointer_v<decltype(place)>) {
            behind = object_of(address_of(*place));
        }
    });
    return "interposed by " + std::string(object_of(address_of(&leat_recv))) + ": " + ours +
           "\nthe real calls are those of " + std::string(behind) + others;
}

}  // namespace leat
