// SPDX-License-Identifier: MIT
// What io_uring may do and rarely does: short submissions, no memory, full queues, completions that say
// nothing, receives that find no buffer or do not stay armed. Nothing is lost.
#include "../crash/aborts.hpp"
#include "../runtime/backends/interposed_kernel.hpp"
#include "exchange.hpp"

#include <leat/backends/uring.hpp>
#include <leat/testing/backends.hpp>

#include <doctest/doctest.h>
#include <liburing.h>

using namespace backend_tests;
namespace call = leat::system_call;

namespace {

constexpr unsigned nop_inject_result = 1;  // IORING_NOP_INJECT_RESULT, Linux 6.10
const auto real_enter = call::io_uring_enter;

template <auto Instead>
struct instead : disturbance<decltype(call::io_uring_enter)> {
    explicit instead(int error = 0, int every = 2) noexcept : disturbance(call::io_uring_enter, Instead) {
        strikes::error = error;
        strikes::every = every;
    }
};

// As the kernel does when it has no memory for more requests: it takes some, and does not wait.
long submit_one(io_uring& ring, const call::enter_request& asked) {
    call::enter_request less = asked;
    if (asked.submissions > 1 && strikes::now()) {
        less.submissions = 1;
        less.wanted = 0;
    }
    return real_enter(ring, less);
}

bool receives_into_offered(const io_uring_sqe& entry) {
    return entry.opcode == IORING_OP_RECV && (entry.flags & IOSQE_BUFFER_SELECT) != 0;
}

bool receives(const io_uring_sqe& entry) {
    return entry.opcode == IORING_OP_RECV && (entry.flags & IOSQE_BUFFER_SELECT) == 0;
}
bool receives_chunk(const io_uring_sqe& entry) {
    return receives_into_offered(entry) && (entry.ioprio & IORING_RECV_MULTISHOT) == 0;
}
bool stays_armed(const io_uring_sqe& entry) {
    return receives_into_offered(entry) && (entry.ioprio & IORING_RECV_MULTISHOT) != 0;
}
bool sends(const io_uring_sqe& entry) {
    return entry.opcode == IORING_OP_SEND || entry.opcode == IORING_OP_SENDMSG;
}
bool accepts(const io_uring_sqe& entry) {
    return entry.opcode == IORING_OP_ACCEPT;
}

// It completes with strikes::error, and what it asks for does not happen.
void refuse(io_uring_sqe& entry) {
    const auto user_data = entry.user_data;
    entry = {};
    entry.opcode = IORING_OP_NOP;
    entry.rw_flags = nop_inject_result;
    entry.len = static_cast<unsigned>(-strikes::error);
    entry.user_data = user_data;
}

template <bool (*Chosen)(const io_uring_sqe&)>
long refuse_some(io_uring& ring, const call::enter_request& asked) {
    const unsigned first = *ring.sq.khead;
    for (unsigned i = 0; i < asked.submissions; ++i) {
        io_uring_sqe& entry = ring.sq.sqes[(first + i) & ring.sq.ring_mask];
        if (Chosen(entry) && strikes::now()) {
            refuse(entry);
        }
    }
    return real_enter(ring, asked);
}

// What was cancelled says that it would have blocked.
long cancelled_says_nothing(io_uring& ring, const call::enter_request& asked) {
    const long status = real_enter(ring, asked);
    const unsigned last = __atomic_load_n(ring.cq.ktail, __ATOMIC_ACQUIRE);
    for (unsigned head = *ring.cq.khead; head != last; ++head) {
        io_uring_cqe& completion = ring.cq.cqes[head & ring.cq.ring_mask];
        if (completion.res == -ECANCELED) {
            ++strikes::count;
            completion.res = -EAGAIN;
        }
    }
    return status;
}

constexpr unsigned entries_kept_free = 4;  // for what is decided next

long count_full_submissions(io_uring& ring, const call::enter_request& asked) {
    strikes::count += asked.submissions + entries_kept_free > ring.sq.ring_entries;
    return real_enter(ring, asked);
}

long count_overflows(io_uring& ring, const call::enter_request& asked) {
    const long status = real_enter(ring, asked);
    strikes::count += (__atomic_load_n(ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
    return status;
}

// Ends what has brought something and would stay armed.
long end_armed(io_uring& ring, const call::enter_request& asked) {
    const long status = real_enter(ring, asked);
    const int error = errno;
    const unsigned last = __atomic_load_n(ring.cq.ktail, __ATOMIC_ACQUIRE);
    for (unsigned head = *ring.cq.khead; head != last; ++head) {
        const io_uring_cqe& completion = ring.cq.cqes[head & ring.cq.ring_mask];
        if ((completion.flags & IORING_CQE_F_MORE) != 0 && strikes::now()) {
            io_uring_sync_cancel_reg ended{};
            ended.addr = completion.user_data;
            ended.timeout = {.tv_sec = -1, .tv_nsec = -1};  // none
            const int ends = ::io_uring_register_sync_cancel(&ring, &ended);
            CHECK((ends == 0 || ends == -ENOENT));  // by itself, meanwhile
        }
    }
    errno = error;
    return status;
}

// Interrupts each wait that has a limit, after all else is done. The limit is a length, or a time.
long interrupt_sleep(io_uring& ring, const call::enter_request& asked) {
    constexpr unsigned by_time = 1U << 5;  // IORING_ENTER_ABS_TIMER
    if (asked.argument == nullptr) {
        return real_enter(ring, asked);
    }
    real_enter(ring, {asked.submissions, 0, asked.flags & ~(IORING_ENTER_EXT_ARG | by_time), nullptr, 0});
    const auto& wait = *static_cast<const io_uring_getevents_arg*>(asked.argument);
    const auto& limit = *reinterpret_cast<const __kernel_timespec*>(wait.ts);
    const leat::duration length =
        std::chrono::seconds(limit.tv_sec) + std::chrono::nanoseconds(limit.tv_nsec);
    return interrupted_sleep::interrupt(
        (asked.flags & by_time) != 0 ? leat::time_point(length) - interrupted_sleep::known : length);
}

// Why entries cannot be refused here; empty when they can.
std::string no_refusing() {
    io_uring ring{};
    if (const int status = ::io_uring_queue_init(2, &ring, 0); status < 0) {
        return "io_uring_setup: " + leat::errno_code(-status).message();
    }
    strikes::error = EBUSY;
    refuse(*::io_uring_get_sqe(&ring));
    ::io_uring_submit_and_wait(&ring, 1);
    io_uring_cqe* completion = nullptr;
    const bool refused = ::io_uring_peek_cqe(&ring, &completion) == 0 && completion->res == -EBUSY;
    ::io_uring_queue_exit(&ring);
    return refused ? "" : "NOP gives no result that is asked for (before Linux 6.10)";
}

// Runs `body` on a ring that is `how`, disturbed by a `Disturbance`.
template <typename Disturbance, typename Body, typename... Arguments>
void disturbed_on(const leat::uring_options& how, Body body, Arguments... arguments) {
    if (const std::string refused = no_refusing(); !refused.empty()) {
        MESSAGE("skipped: " << refused);
        return;
    }
    const std::size_t before = leat::testing::open_descriptors();
    {
        const Disturbance disturbing(arguments...);
        leat::scheduler loop(leat::make_uring_backend(how), leat::detail::print_report);
        leat::detail::run_on(loop, std::source_location::current(), body);
    }
    CHECK(strikes::count > 0);
    CHECK(leat::testing::open_descriptors() == before);
}

// Exchanges bytes between `clients` and as many servers.
template <typename Disturbance, typename... Arguments>
void exchange_on(const leat::uring_options& how, int clients, int numbers, Arguments... arguments) {
    disturbed_on<Disturbance>(how, [=] { return net_tests::exchange(clients, numbers); }, arguments...);
}

template <typename Disturbance, typename... Arguments>
void exchange_on_both(Arguments... arguments) {
    for (const bool newer : {true, false}) {
        INFO("newer features: ", newer);
        exchange_on<Disturbance>({.newer_features = newer}, 9, 2'000, arguments...);
    }
}

}  // namespace

TEST_CASE("entries that the kernel does not take at once are handed over again") {
    exchange_on_both<instead<submit_one>>();
}

TEST_CASE("a ring that is entered without memory, without room or against a signal is entered again") {
    for (const int error : {EAGAIN, EBUSY, EINTR}) {
        exchange_on_both<fails<call::io_uring_enter>>(error);
    }
}

TEST_CASE("a ring that the kernel works no more is said to be so") {
    if (const std::string refused = leat::uring_self_test(); !refused.empty()) {
        MESSAGE("skipped: " << refused);
        return;
    }
    for (const int error : {EBADR, ENXIO}) {
        leat::testing::check_aborts(
            [error] {
                const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
                const fails<call::io_uring_enter> disturbing(error, 1);
                leat::list<leat::operation> done;
                io->collect(leat::long_ago, done);
            },
            "the kernel that made a ring works it");
    }
}

TEST_CASE("a receive that says nothing is asked for again") {
    for (const int error : {EAGAIN, EINTR}) {
        exchange_on_both<instead<refuse_some<receives>>>(error);
    }
}

TEST_CASE("a send that says nothing is asked for again") {
    for (const int error : {EAGAIN, EINTR}) {
        exchange_on_both<instead<refuse_some<sends>>>(error);
    }
}

TEST_CASE("an accept that says nothing is asked for again") {
    for (const int error : {EAGAIN, EINTR}) {
        exchange_on_both<instead<refuse_some<accepts>>>(error);
    }
}

TEST_CASE("a receive that finds no buffer gets its bytes all the same") {
    for (const int error : {ENOBUFS, EAGAIN, EINTR}) {
        exchange_on<instead<refuse_some<receives_chunk>>>({}, 9, 2'000, error);
    }
}

TEST_CASE("a receive that does not stay armed is armed again, or done without") {
    for (const int error : {ENOBUFS, ECANCELED, EAGAIN, EINTR}) {
        exchange_on<instead<refuse_some<stays_armed>>>({}, 9, 2'000, error);
    }
}

TEST_CASE("a receive that stays armed and is ended in the midst of work is armed again, or done without") {
    for (const int every : {1, 2, 7}) {
        disturbed_on<instead<end_armed>>({}, [] { return net_tests::exchange_in_rounds(3, 40); }, 0, every);
    }
}

TEST_CASE("a watch for wake-ups that is ended in the midst of work is begun again") {
    if (const std::string refused = leat::uring_self_test(); !refused.empty()) {
        MESSAGE("skipped: " << refused);
        return;
    }
    const instead<end_armed> disturbing;
    const std::unique_ptr<leat::backend> io = leat::make_uring_backend();
    for (int i = 0; i < 100; ++i) {
        io->wake();
        const leat::time_point patience = leat::after(io->now(), std::chrono::minutes(1));
        leat::list<leat::operation> done;
        io->collect(patience, done);
        CHECK(io->now() < patience);
        CHECK(done.empty());
    }
    CHECK(strikes::count > 0);
}

TEST_CASE("a sleep on a ring whose waits are all interrupted is not early, and each is for what is left") {
    for (const bool newer : {true, false}) {
        INFO("newer features: ", newer);
        disturbed_on<instead<interrupt_sleep>>({.newer_features = newer}, sleep_though_interrupted);
    }
}

TEST_CASE("a receive that is cancelled and says nothing is cancelled") {
    exchange_on_both<instead<cancelled_says_nothing>>();
}

TEST_CASE("more is asked of a ring than its submission queue holds") {
    for (const bool newer : {true, false}) {
        exchange_on<instead<count_full_submissions>>({.newer_features = newer, .submissions = 8}, 30, 500);
    }
}

TEST_CASE("more completes than the completion queue holds") {
    for (const bool newer : {true, false}) {
        exchange_on<instead<count_overflows>>({.newer_features = newer, .submissions = 2, .completions = 4},
                                              30, 500);
    }
}
