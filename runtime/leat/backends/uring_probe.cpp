// SPDX-License-Identifier: MIT
#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/uring.hpp>
#include <leat/backends/uring_buffers.hpp>
#include <leat/fd.hpp>

#include <vector>

#include <sys/socket.h>

namespace leat {

namespace {

constexpr duration patience = std::chrono::seconds(1);

struct completion {
    std::uint64_t user_data;
    int result;
    unsigned flags;
};

// What has completed by `deadline`, or as soon as anything has.
std::vector<completion> completions(uring_ring& ring, time_point deadline) {
    std::vector<completion> all;
    do {
        if (const int status = ring.enter_and_wait(deadline); status < 0) {
            throw std::system_error(errno_code(-status), "io_uring_enter");
        }
        ring.reap([&](const io_uring_cqe& each) { all.push_back({each.user_data, each.res, each.flags}); });
    } while (all.empty() && kernel_now() < deadline);
    return all;
}

void receive(uring_ring& ring, int fd, std::uint64_t user_data) {
    io_uring_sqe& entry = ring.next();
    entry.opcode = IORING_OP_RECV;
    entry.fd = fd;
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.buf_group = uring_buffers::group;
    entry.len = slab_pool::buffer_size;
    entry.ioprio = IORING_RECVSEND_POLL_FIRST;
    entry.user_data = user_data;
}

// Empty when all is well.
std::string receive_and_cancel() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        return "socketpair: " + errno_code(errno).message();
    }
    const fd ours(ends[0]);
    const fd peer(ends[1]);
    uring_ring ring({.submissions = 8, .completions = 16});
    uring_buffers buffers(ring);
    buffers.ran_out();
    buffers.top_up();

    receive(ring, ours.get(), 1);
    if (!completions(ring, kernel_now()).empty()) {
        return "a receive without data did not wait";
    }
    if (::send(peer.get(), "x", 1, MSG_NOSIGNAL) != 1) {
        return "send: " + errno_code(errno).message();
    }
    std::vector<completion> seen = completions(ring, after(kernel_now(), patience));
    if (seen.size() != 1 || seen[0].user_data != 1 || seen[0].result != 1 ||
        (seen[0].flags & IORING_CQE_F_BUFFER) == 0) {
        return "a receive did not complete";
    }
    uring_buffers::queue received;
    buffers.push(received, buffers.filled(seen[0].flags), 1);
    if (buffers.front(received)[0] != std::byte{'x'}) {
        return "a receive did not give the data";
    }
    buffers.clear(received);

    receive(ring, ours.get(), 2);
    if (!completions(ring, kernel_now()).empty()) {
        return "a receive without data did not wait";
    }
    io_uring_sqe& cancel = ring.next();
    cancel.opcode = IORING_OP_ASYNC_CANCEL;
    cancel.flags = IOSQE_CQE_SKIP_SUCCESS;
    cancel.addr = 2;
    seen = completions(ring, after(kernel_now(), patience));
    if (seen.size() != 1 || seen[0].user_data != 2 || seen[0].result != -ECANCELED) {
        return "a cancelled receive did not end";
    }
    return {};
}

}  // namespace

std::string try_uring() {
    try {
        const std::string failed = receive_and_cancel();
        return failed.empty() ? failed : "its self-test failed: " + failed;
    } catch (const std::system_error& refused) {
        return refused.what();
    }
}

const std::string& uring_self_test() {
    static const std::string verdict = try_uring();
    return verdict;
}

}  // namespace leat
