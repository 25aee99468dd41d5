// SPDX-License-Identifier: MIT
// The operations of a TLS stream, cancelled at each moment on each backend.
#include "../../runtime/cancel_moments.hpp"

#include <leat/testing/doctest.hpp>

#include <optional>
#include <string>

#include "stream_pair.hpp"

namespace leat::tls {

namespace {

class recv_trial : public cancel_tests::trial {
public:
    explicit recv_trial(bool exactly = false) : exactly_(exactly) {}
    task<> prepare() {
        both_.emplace(co_await over_tcp());
        co_await shake_hands(*both_);
    }
    task<> attempt() {
        std::string some(exactly_ ? 4 : 9, ' ');
        if (exactly_) {
            co_await both_->server.recv_exactly(some);
        } else {
            some.resize(co_await both_->server.recv(some));
        }
        received_ += some;
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        sent_ += next;
        sender_ = spawn([this, next]() -> task<> { co_await both_->client.send_all(next); });
    }
    task<> verify(const std::string& where) {
        co_await sender_;
        CHECK_MESSAGE(received_ == sent_, where);
    }

private:
    bool exactly_;
    std::optional<stream_pair<tcp_stream>> both_;
    handle<> sender_;
    std::string sent_;
    std::string received_;
};

struct recv_exactly_trial : recv_trial {
    recv_exactly_trial() : recv_trial(true) {}
};

}  // namespace

LEAT_TEST("TLS: a recv that is cancelled at any moment takes no byte, or gives it") {
    co_await cancel_tests::cancelled_at_any_moment<recv_trial>("TLS recv");
}

LEAT_TEST("TLS: recv_exactly that is cancelled at any moment takes no byte, or gives all") {
    co_await cancel_tests::cancelled_at_any_moment<recv_exactly_trial>("TLS recv_exactly");
}

}  // namespace leat::tls
