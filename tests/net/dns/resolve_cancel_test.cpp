// SPDX-License-Identifier: MIT
// Looking up a name, cancelled at each moment on each backend: the answer is for the next who asks.
#include "../../runtime/cancel_moments.hpp"
#include "lookups.hpp"

#include <string>

using namespace lookups;

namespace {

class resolve_trial : public cancel_tests::trial {
public:
    leat::task<> attempt() {
        if (!held_) {
            held_ = true;
            server_.set(name(), {.addresses = {first}, .how = dns_reply::manner::held});
        }
        const addresses found = co_await leat::resolve(name(), patient(server_));
        CHECK(found == addresses{first});
        delivered();
    }
    void enable() {
        server_.set(name(), {.addresses = {first}});  // for one who asks from now on
        held_ = true;
        server_.release();
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(server_.asked(name(), dns_type::a) <= 2, where);
        ++rounds_;
        held_ = false;
        co_return;
    }

private:
    [[nodiscard]] std::string name() const { return "name" + std::to_string(rounds_) + ".test"; }
    dns_server server_;
    bool held_ = false;
    int rounds_ = 0;
};

}  // namespace

LEAT_TEST("a look-up that is cancelled at any moment leaves the answer to the next, or gives it",
          on(kernel)) {
    co_await cancel_tests::cancelled_at_any_moment<resolve_trial>("resolve");
}
