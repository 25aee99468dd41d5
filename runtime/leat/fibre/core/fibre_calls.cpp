// SPDX-License-Identifier: MIT
// Where the calls on the stack of a fibre stand while it waits, for dumps.
#include <leat/fibre/core/fibre.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <algorithm>
#include <array>

#include <dlfcn.h>
#include <unwind.h>

namespace leat::detail {

namespace {

struct unwound_stack {
    const void* inner;  // where it has left: what is further in is ours
    std::array<void*, 128> calls;
    std::size_t count = 0;
    bool begun = false;
};

_Unwind_Reason_Code note(_Unwind_Context* at, void* argument) {
    auto& stack = *static_cast<unwound_stack*>(argument);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what the unwinder gives
    void* const code = reinterpret_cast<void*>(_Unwind_GetIP(at));
    stack.begun |= code == stack.inner;
    if (stack.begun && code != nullptr) {
        if (stack.count == stack.calls.size()) {
            return _URC_END_OF_STACK;
        }
        stack.calls[stack.count++] = code;
    }
    return _URC_NO_REASON;
}

void unwind(void* stack) noexcept {
    _Unwind_Backtrace(note, stack);
}

bool is_hook(void* code) noexcept {
    Dl_info found{};
    bool is_one = false;
    if (::dladdr(code, &found) != 0 && found.dli_saddr != nullptr) {
        each_hook([&](const char* /*name*/, auto /*place*/, auto ours) {
            is_one |= found.dli_saddr == reinterpret_cast<const void*>(ours);
        });
    }
    return is_one;
}

}  // namespace

// What is inside an interposed call is left out, and so are the two of leat that every fibre begins with.
std::size_t fibre::calls_of(const void* self, std::span<void*> into) noexcept {
    const auto& of = *static_cast<const fibre*>(self);
    unwound_stack stack{.inner = of.inside_.code, .calls = {}};
    leat_call_behind(of.inside_, unwind, &stack);
    constexpr std::size_t own = 2;
    const std::span<void*> all(stack.calls.data(), stack.count < stack.calls.size()
                                                       ? stack.count - std::min(stack.count, own)
                                                       : stack.count);
    const auto hook = std::ranges::find_if(all, is_hook);
    const auto first = hook != all.end() ? hook : all.begin();
    const auto last = first + std::min(all.end() - first, static_cast<std::ptrdiff_t>(into.size()));
    std::copy(first, last, into.begin());
    return static_cast<std::size_t>(last - first);
}

}  // namespace leat::detail
