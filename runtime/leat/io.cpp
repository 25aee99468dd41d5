// SPDX-License-Identifier: MIT
#include <leat/io.hpp>

#include <string>

namespace leat::detail {

bool cancel_operation(wait& self) noexcept {
    auto& op = static_cast<operation&>(self);
    op.cancel_requested = true;
    return current_scheduler().io().cancel(op);
}

void explain_operation(const wait& self, wait_facts& facts) noexcept {
    facts.asked = &static_cast<const operation&>(self);
}

constinit const wait_kind accept_kind{"accept", cancel_operation, explain_operation};
constinit const wait_kind connect_kind{"connect", cancel_operation, explain_operation};
constinit const wait_kind recv_kind{"recv", cancel_operation, explain_operation};
constinit const wait_kind send_kind{"send", cancel_operation, explain_operation};
constinit const wait_kind readable_kind{"readable", cancel_operation, explain_operation};
constinit const wait_kind writable_kind{"writable", cancel_operation, explain_operation};

bool in_simulation() noexcept {
    return this_thread.loop != nullptr && this_thread.loop->io().time_is_virtual();
}

void require_kernel(const char* what) {
    if (in_simulation()) {
        throw std::system_error(errno_code(EOPNOTSUPP), std::string(what) + " in a simulation");
    }
}

}  // namespace leat::detail
