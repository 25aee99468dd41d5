// SPDX-License-Identifier: MIT
#include <leat/fibre/core/fibre.hpp>

#include <leat/check.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <cerrno>
#include <new>

#include <cxxabi.h>

namespace leat::detail {

// Its layout belongs to the ABI: https://itanium-cxx-abi.github.io/cxx-abi/abi-eh.html, 2.2.2.
exception_state& exceptions_of_thread() noexcept {
    return *reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

fibre::fibre(const fibre_stack& stack, body_function body, void* argument) noexcept
    : exceptions_(&exceptions_of_thread()),
      errno_(errno),
      hooked_(this),
      body_(body),
      argument_(argument),
      stack_(stack) {
    inside_ = new_context(reinterpret_cast<std::byte*>(this), this);
    watched_inside_.begin(stack.bottom, stack.size);
}

fibre& fibre::make(std::size_t size, body_function body, void* argument) {
    check_hooks();
    const fibre_stack stack = take_fibre_stack(size);
    constexpr std::size_t room = (sizeof(fibre) + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
                                 alignof(std::max_align_t);
    return *::new (stack.top() - room) fibre(stack, body, argument);
}

void fibre::release() noexcept {
    check(ended_, "nothing unwinds a task while its blocking function runs");
    const fibre_stack stack = stack_;
    watched_inside_.end();
    this->~fibre();
    give_back_fibre_stack(stack);
}

void leat_fibre_main(fibre& self) noexcept {
    self.watched_inside_.arrive(self.watched_outside_);
    self.body_(self.argument_);
    self.ended_ = true;
    self.leave();
    check(false, "a fibre that has ended is not entered");
    __builtin_unreachable();
}

void wait_in_fibre(wait& leaf) noexcept {
    scheduler::suspend(*this_thread.current, leaf);
    this_fibre.running->leave();
}

}  // namespace leat::detail
