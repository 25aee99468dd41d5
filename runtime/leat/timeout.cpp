// SPDX-License-Identifier: MIT
#include <leat/timeout.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/observe/core/user_frame.hpp>

namespace leat {

namespace detail {

[[gnu::tls_model("initial-exec")]] constinit thread_local void (*timeout_passes)() noexcept = nullptr;

namespace {

std::string text_of(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

}  // namespace

void timeout_scope::pass(timer& self) noexcept {
    auto& passed = static_cast<timeout_scope&>(self);
    // None is inside when it has been left by unwinding, and a nursery of the same frame still runs the loop.
    if (const wait* const leaf = passed.inside != nullptr ? passed.inside->waiting : nullptr) {
        passed.waited_for_ = leaf->kind;
        wait_facts facts;
        if (leaf->kind->explain != nullptr) {
            leaf->kind->explain(*leaf, facts);
        }
        passed.awaited_ = facts.awaited != nullptr ? facts.awaited->id : 0;
        if (const frame* const at = innermost_of_user(passed.inside->leaf, passed.entered_by)) {
            passed.waited_at_ = at->where;
        }
    }
    if (timeout_passes != nullptr) {
        timeout_passes();
    }
    passed.cancel(cancel_reason::deadline);
}

void timeout_scope::throw_timed_out() const {
    std::string what = length == duration::max() ? "the deadline" : "the timeout of " + duration_text(length);
    what += " at " + text_of(where) + " passed";
    if (waited_for_ != nullptr) {
        what += ", waiting for ";
        what += awaited_ != 0 ? "task " + std::to_string(awaited_) : waited_for_->name;
        what += waited_at_.line() != 0 ? " at " + text_of(waited_at_) : "";
    }
    throw timed_out(what);
}

}  // namespace detail

timed_out::timed_out(const std::string& what)
    : system_error(std::make_error_code(std::errc::timed_out), what) {}

}  // namespace leat
