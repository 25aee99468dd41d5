// SPDX-License-Identifier: MIT
// What only io_uring does. What it shares with the others is in contract_test, cancel_test and many_test.
#include <leat/backends/uring.hpp>

#include "bare_operations.hpp"

using namespace backend_tests;

TEST_CASE("a cancel that the kernel must be asked for completes later") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    const connection both;
    std::string buffer(8, ' ');
    bare_operation recv(operation_kind::recv, both.ours.get(), buffer);
    start(*io, recv);
    look(*io);
    CHECK(!io->cancel(recv));
    CHECK(io->pending() == 1);
    CHECK(!io->cancel(recv));
    finish(*io, recv);
    CHECK(recv.result == -ECANCELED);
}

TEST_CASE("a retired descriptor stays open until the kernel has let go of it") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    connection both;
    const int number = both.ours.release();
    std::string buffer(8, ' ');
    bare_operation recv(operation_kind::recv, number, buffer);
    start(*io, recv);
    look(*io);
    io->retire(number);
    const leat::fd other(::dup(both.peer.get()));
    CHECK(other.get() != number);
    finish(*io, recv);
    finish_retiring(*io);
    CHECK(both.peer_sees_end());
}

TEST_CASE("the self-test passes wherever a ring can be made") {
    std::string refused;
    try {
        (void)leat::make_uring_backend();
    } catch (const std::system_error& error) {
        refused = error.what();
    }
    CHECK(leat::uring_self_test() == refused);
}
