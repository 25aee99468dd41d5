// SPDX-License-Identifier: MIT
// Reads of a request's body, cancelled at each moment on each backend: every byte is read, once and in order.
#include "../../runtime/cancel_moments.hpp"
#include "bodies.hpp"

#include <leat/testing/doctest.hpp>

#include <string>
#include <utility>

#include <sys/socket.h>

using cancel_tests::trial;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;

namespace {

class read_trial : public trial {
public:
    leat::task<> prepare() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        peer_ = leat::tcp_stream::from_fd(ends[1]);
        leat::testing::single_listener only(leat::tcp_stream::from_fd(ends[0]));
        const auto lends = [this](const request&, request_body_reader& body) -> leat::task<response> {
            body_ = &body;
            begun_.set();
            co_await over_.wait();
            co_return response();
        };
        server_ = leat::spawn(leat::http::serve(std::move(only), lends, leat::testing::unattended));
        co_await peer_.send_all(leat::testing::post("/", "Content-Length: 1000000\r\n"));
        co_await begun_.wait();
    }
    leat::task<> attempt() {
        got_ += co_await body_->read();
        delivered();
    }
    void enable() {
        const char byte = static_cast<char>('a' + sent_.size() % 26);
        REQUIRE(::send(peer_.native_handle(), &byte, 1, MSG_NOSIGNAL) == 1);
        sent_ += byte;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(got_ == sent_, where);
        co_return;
    }
    leat::task<> finish() {
        over_.set();
        server_->cancel();
        co_await server_->join();
    }

private:
    leat::tcp_stream peer_;
    std::optional<leat::handle<>> server_;
    leat::event begun_;
    leat::event over_;
    request_body_reader* body_ = nullptr;
    std::string sent_;
    std::string got_;
};

}  // namespace

LEAT_TEST("a read of a body that is cancelled at any moment loses no byte", on(leat::testing::kernel)) {
    co_await cancel_tests::cancelled_at_any_moment<read_trial>("read");
}
