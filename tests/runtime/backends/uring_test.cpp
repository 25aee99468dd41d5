// SPDX-License-Identifier: MIT
// What only io_uring does. What it shares with the others is in contract_test, cancel_test and many_test.
#include <leat/backends/uring.hpp>

#include <leat/backends/uring_ring.hpp>

#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <algorithm>
#include <deque>

using namespace backend_tests;

namespace {

namespace call = leat::system_call;

const auto real_enter = call::io_uring_enter;

// Entries that the kernel is to refuse: those of one descriptor and opcode.
struct refused_entries {
    static inline int descriptor = -1;
    static inline std::uint8_t opcode = 0;
    static inline int error = 0;  // EINVAL: as it takes the entry; EBADF: when it carries it out
};

long refuse_entries(io_uring& ring, const call::enter_request& asked) {
    constexpr std::uint8_t no_opcode = UINT8_MAX;
    const unsigned first = *ring.sq.khead;
    for (unsigned i = 0; i < asked.submissions; ++i) {
        io_uring_sqe& entry = ring.sq.sqes[(first + i) & ring.sq.ring_mask];
        if (entry.fd == refused_entries::descriptor && entry.opcode == refused_entries::opcode) {
            ++strikes::count;
            if (refused_entries::error == EINVAL) {
                entry.opcode = no_opcode;
            } else {
                entry.fd = -1;
            }
        }
    }
    return real_enter(ring, asked);
}

// Refuses what is queued once, with EAGAIN, but does the work that the kernel has deferred, as it may.
struct refused_once {
    static inline bool refuses = false;
};

long refuse_once(io_uring& ring, const call::enter_request& asked) {
    if (!refused_once::refuses) {
        return real_enter(ring, asked);
    }
    refused_once::refuses = false;
    ++strikes::count;
    real_enter(ring, {0, 0, asked.flags & ~IORING_ENTER_EXT_ARG, nullptr, 0});
    errno = EAGAIN;
    return -1;
}

// A connection whose receive stays armed; "abc" and the end have arrived for nobody yet. The submission queue
// is full, and the kernel refuses it when it is handed over next.
struct armed_behind_full_queue {
    static constexpr unsigned entries = 4;

    explicit armed_behind_full_queue(leat::backend& backend, bool ends = true) : io(backend) {
        for (int round = 0; round < 2; ++round) {  // the second receive that waits stays armed
            bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
            start(io, chunk);
            look(io);
            REQUIRE_FALSE(chunk.ended());
            both.peer_sends("x");
            finish(io, chunk);
            REQUIRE(text_of(chunk.received()) == "x");
        }
        look(io);
        for (connection& each : others) {
            waiting.emplace_back(operation_kind::recv, each.ours.get(), bytes);
            start(io, waiting.back());
        }
        look(io);  // with the kernel
        both.peer_sends("abc");
        if (ends) {
            both.peer.reset();
        }
        for (bare_operation& each : waiting) {
            cancel(io, each);  // each takes an entry
            REQUIRE_FALSE(each.ended());
        }
        refused_once::refuses = true;
    }
    ~armed_behind_full_queue() {
        refused_once::refuses = false;
        for (bare_operation& each : waiting) {
            finish(io, each);
            CHECK(each.result == -ECANCELED);
        }
    }

    leat::backend& io;
    listener through;
    connection both{through};
    connection others[entries];
    std::string bytes = std::string(8, ' ');
    std::deque<bare_operation> waiting;
};

// Three connections, whose operations are handed to the kernel together.
struct three_connections {
    explicit three_connections(listener& through)
        : each{connection(through), connection(through), connection(through)} {}
    connection each[3];
    std::string bytes[3] = {std::string(8, ' '), std::string(8, ' '), std::string(8, ' ')};

    [[nodiscard]] bare_operation operation(operation_kind kind, int which) {
        const bool into_buffer = kind != operation_kind::recv_chunk && kind != operation_kind::readable;
        const int fd = each[which].ours.get();
        return into_buffer ? bare_operation(kind, fd, bytes[which]) : bare_operation(kind, fd);
    }
};

// What a receive that has ended brought; of one that only waited what there is to receive.
std::string received(bare_operation& ended, const three_connections& by, int which) {
    if (ended.action == operation_kind::recv_chunk) {
        return text_of(ended.received());
    }
    if (ended.action == operation_kind::recv) {
        return by.bytes[which].substr(0, static_cast<std::size_t>(ended.result));
    }
    char text[8];
    const auto size = ::recv(by.each[which].ours.get(), text, sizeof text, MSG_DONTWAIT);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

// The second of three receives is refused, twice: it fails alone, and is well when it is asked for again.
void refuse_second(leat::backend& io, operation_kind kind, std::uint8_t opcode) {
    listener through;
    three_connections by(through);
    bare_operation first = by.operation(kind, 0);
    bare_operation third = by.operation(kind, 2);
    refused_entries::descriptor = by.each[1].ours.get();
    refused_entries::opcode = opcode;
    for (bare_operation* const beside : {&first, &third}) {
        bare_operation second = by.operation(kind, 1);
        start(io, second);
        start(io, *beside);
        finish(io, second);
        CHECK(second.result == -refused_entries::error);
        CHECK_FALSE(beside->ended());
    }
    refused_entries::descriptor = -1;
    bare_operation second = by.operation(kind, 1);
    start(io, second);
    look(io);
    CHECK_FALSE(second.ended());
    for (const connection& each : by.each) {
        each.peer_sends("abc");
    }
    bare_operation* const all[] = {&first, &second, &third};
    for (int which = 0; which < 3; ++which) {
        finish(io, *all[which]);
        const std::string text = received(*all[which], by, which);
        CHECK(text == "abc");
    }
    for (connection& each : by.each) {
        io.retire(each.ours.release());
    }
    finish_retiring(io);
}

// A receive that stays armed is watched for a hang-up, which is refused: another kind of receive takes over.
void refuse_watch(leat::backend& io) {
    listener through;
    connection both(through);
    refused_entries::descriptor = both.ours.get();
    refused_entries::opcode = IORING_OP_POLL_ADD;
    for (const char* const text : {"one", "two", "three"}) {
        bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
        start(io, chunk);
        look(io);
        CHECK_FALSE(chunk.ended());
        both.peer_sends(text);
        finish(io, chunk);
        const std::string got = text_of(chunk.received());
        CHECK(got == text);
    }
    io.retire(both.ours.release());
    finish_retiring(io);
}

}  // namespace

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

TEST_CASE("retiring a descriptor waits until the kernel has let go of it, and runs nobody") {
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
    CHECK(::fcntl(number, F_GETFD) == -1);
    CHECK(both.peer_sees_end());
    CHECK(!recv.ended());
    CHECK(io->pending() == 1);
    finish(*io, recv);
    CHECK(recv.result == -ECANCELED);
    CHECK(recv.retired);
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

TEST_CASE("an entry that the kernel refuses fails alone, and can be asked for again") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    for (const bool newer : {true, false}) {
        for (const int error : {EINVAL, EBADF}) {
            INFO("newer features: ", newer, ", error: ", error);
            const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter,
                                                                         refuse_entries);
            const std::unique_ptr<leat::backend> io = leat::make_uring_backend({.newer_features = newer});
            refused_entries::error = error;
            refuse_second(*io, operation_kind::recv, IORING_OP_RECV);
            refuse_second(*io, operation_kind::readable, IORING_OP_POLL_ADD);
            refuse_second(*io, operation_kind::recv_chunk, newer ? IORING_OP_RECV : IORING_OP_POLL_ADD);
            CHECK(strikes::count == 6);
        }
    }
}

TEST_CASE("a receive stays armed only where the kernel watches for a hang-up") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    for (const int error : {EINVAL, EBADF}) {
        const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter, refuse_entries);
        const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
        refused_entries::error = error;
        refuse_watch(*io);
        CHECK(strikes::count > 0);
    }
}

TEST_CASE("no receive overtakes what the one that stays armed has brought while the queue was handed over") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    for (const operation_kind kind : {operation_kind::recv, operation_kind::recv_chunk}) {
        const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter, refuse_once);
        const std::unique_ptr<leat::backend> io =
            leat::make_uring_backend({.submissions = armed_behind_full_queue::entries});
        armed_behind_full_queue full(*io);
        std::string text(8, ' ');
        std::string received_so_far;
        for (const std::int64_t expected : {3, 0}) {
            bare_operation recv = kind == operation_kind::recv
                                      ? bare_operation(kind, full.both.ours.get(), text)
                                      : bare_operation(kind, full.both.ours.get());
            start(*io, recv);
            finish(*io, recv);
            CHECK(recv.result == expected);
            received_so_far +=
                kind == operation_kind::recv
                    ? text.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(recv.result, 0)))
                    : text_of(recv.received());
        }
        CHECK(received_so_far == "abc");
        io->retire(full.both.ours.release());
        finish_retiring(*io);
    }
}

TEST_CASE("a cancel finds what has completed while the queue was handed over") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter, refuse_once);
    const std::unique_ptr<leat::backend> io =
        leat::make_uring_backend({.submissions = armed_behind_full_queue::entries});
    const connection other;
    std::string text(8, ' ');
    bare_operation recv(operation_kind::recv, other.ours.get(), text);
    start(*io, recv);
    look(*io);
    armed_behind_full_queue full(*io);
    other.peer_sends("def");
    cancel(*io, recv);
    CHECK(strikes::count == 1);
    CHECK_FALSE(recv.ended());
    finish(*io, recv);
    CHECK(recv.result == 3);
    io->retire(full.both.ours.release());
    finish_retiring(*io);
}

TEST_CASE("a descriptor that is retired while the queue is handed over is closed once") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter, refuse_once);
    const std::unique_ptr<leat::backend> io =
        leat::make_uring_backend({.submissions = armed_behind_full_queue::entries});
    armed_behind_full_queue full(*io);
    bare_operation recv(operation_kind::recv_chunk, full.both.ours.get());
    io->retire(full.both.ours.release());
    CHECK(strikes::count == 1);
    finish_retiring(*io);
    CHECK(io->pending() == 0);
}

TEST_CASE("a stream is not quiet when what has arrived was taken while the queue was handed over") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const disturbance<decltype(call::io_uring_enter)> disturbing(call::io_uring_enter, refuse_once);
    const std::unique_ptr<leat::backend> io =
        leat::make_uring_backend({.submissions = armed_behind_full_queue::entries});
    armed_behind_full_queue full(*io, false);
    refused_once::refuses = false;
    const connection other;
    std::string text(8, ' ');
    bare_operation recv(operation_kind::recv, other.ours.get(), text);
    start(*io, recv);  // hands the queue over
    CHECK_FALSE(io->is_quiet(full.both.ours.get()));
    cancel(*io, recv);
    finish(*io, recv);
    io->retire(full.both.ours.release());
    finish_retiring(*io);
}

TEST_CASE("small pieces that arrive for nobody do not each hold a buffer") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    listener through;
    connection both(through);
    for (int round = 0; round < 2; ++round) {  // the second receive that waits stays armed
        bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
        start(*io, chunk);
        look(*io);
        both.peer_sends("x");
        finish(*io, chunk);
        REQUIRE(text_of(chunk.received()) == "x");
    }
    std::string sent;
    for (int i = 0; i < 30; ++i) {  // more than the buffers that a source may hold
        const std::string piece = std::to_string(i) + ",";
        both.peer_sends(piece);
        look(*io);
        sent += piece;
    }
    bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
    start(*io, chunk);
    finish(*io, chunk);
    CHECK(text_of(chunk.received()) == sent);
    io->retire(both.ours.release());
    finish_retiring(*io);
}
