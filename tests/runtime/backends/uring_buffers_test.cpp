// SPDX-License-Identifier: MIT
// The buffers that io_uring's receives share: nobody uses them up, and what a burst needed goes back.
#include <leat/backends/uring_buffers.hpp>

#include <leat/backends/uring.hpp>

#include "bare_operations.hpp"

#include <deque>

using namespace backend_tests;

namespace {

// A stream whose receive stays armed, and for which `text` has come that nobody reads.
struct stalled_stream {
    stalled_stream(leat::backend& io, listener& through, std::string_view text) : both(through) {
        owner.descriptor = both.ours.get();
        for (int round = 0; round < 2; ++round) {  // the second receive that waits stays armed
            bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
            chunk.owner = &owner;
            start(io, chunk);
            look(io);
            both.peer_sends("x");
            finish(io, chunk);
            REQUIRE(text_of(chunk.received()) == "x");
        }
        both.peer_sends(text);
        look(io);
    }
    // What its next reader gets.
    [[nodiscard]] std::string read(leat::backend& io) {
        if (owner.returned != nullptr) {
            return std::string(owner.returned->text());
        }
        bare_operation chunk(operation_kind::recv_chunk, both.ours.get());
        chunk.owner = &owner;
        start(io, chunk);
        finish(io, chunk);
        return text_of(chunk.received());
    }

    connection both;
    leat::descriptor_owner owner;
};

}  // namespace

TEST_CASE("however many streams nobody reads, buffers are left for the others") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    constexpr std::size_t pooled = leat::slab_pool::slabs_max * leat::slab_pool::buffers_in_slab;
    constexpr std::size_t count = pooled + 50;
    if (!may_open(2 * count + 10)) {
        MESSAGE("skipped: too few descriptors");
        return;
    }
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    listener through;
    std::deque<stalled_stream> streams;
    for (std::size_t i = 0; i < count; ++i) {
        streams.emplace_back(*io, through, "abc");
    }
    {
        const connection other(through);
        bare_operation chunk(operation_kind::recv_chunk, other.ours.get());
        start(*io, chunk);
        look(*io);
        other.peer_sends("def");
        finish(*io, chunk);
        const auto* const pool = static_cast<leat::slab_pool*>(chunk.pool);
        CHECK(pool->leased() < pooled * 3 / 4);
        CHECK(text_of(chunk.received()) == "def");
    }
    for (stalled_stream& each : streams) {
        const std::string got = each.read(*io);
        CHECK(got == "abc");
        io->retire(each.both.ours.release());
    }
    finish_retiring(*io);
}

TEST_CASE("buffers that the kernel was offered and has not needed for some time are taken back") {
    if (!leat::uring_self_test().empty()) {
        MESSAGE("skipped: " << leat::uring_self_test());
        return;
    }
    constexpr std::size_t first = leat::slab_pool::buffers_in_slab;
    leat::uring_ring ring({});
    leat::uring_buffers buffers(ring);
    for (int i = 0; i < 5; ++i) {  // a burst
        buffers.ran_out();
        buffers.ran_out();  // several receives find none in a turn
        buffers.top_up();
    }
    CHECK(buffers.pool().leased() == 16 * first);
    buffers.shrink();
    CHECK(buffers.pool().leased() == 16 * first);  // they may have been needed before
    while (buffers.may_shrink()) {
        const std::size_t before = buffers.pool().leased();
        buffers.shrink();
        buffers.top_up();
        CHECK(buffers.pool().leased() == before / 2);
    }
    CHECK(buffers.pool().leased() == first);
    buffers.pool().shrink();
    buffers.pool().shrink();
    CHECK(buffers.pool().slab_count() <= leat::slab_pool::slabs_kept);

    std::size_t filled = 0;
    std::int64_t failed = 0;
    const connection both;
    for (std::size_t i = 0; i <= first; ++i) {
        both.peer_sends(std::to_string(100 + i));
        io_uring_sqe& entry = ring.next();
        entry.opcode = IORING_OP_RECV;
        entry.fd = both.ours.get();
        entry.flags = IOSQE_BUFFER_SELECT;
        entry.buf_group = leat::uring_buffers::group;
        entry.len = 3;
        unsigned reaped = 0;
        while (reaped == 0) {
            REQUIRE(ring.enter_and_wait(leat::never) == 0);
            reaped = ring.reap([&](const io_uring_cqe& completion) {
                if (completion.res < 0) {
                    failed = completion.res;
                    return;
                }
                const leat::slab_pool::lease got = buffers.take(buffers.filled(completion.flags));
                CHECK(std::string_view(reinterpret_cast<char*>(got.buffer), 3) == std::to_string(100 + i));
                ++filled;
                buffers.pool().release(got.buffer, got.index);
            });
        }
    }
    CHECK(filled == first);  // as many as were left to it, and no more
    CHECK(failed == -ENOBUFS);
}
