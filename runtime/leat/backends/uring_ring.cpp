// SPDX-License-Identifier: MIT
#include <leat/backends/uring_ring.hpp>

#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/system_call.hpp>
#include <leat/result.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace leat {

namespace {

long enter_kernel(io_uring& ring, const system_call::enter_request& asked) {
    return ::syscall(SYS_io_uring_enter, ring.enter_ring_fd, asked.submissions, asked.wanted, asked.flags,
                     asked.argument, asked.argument_size);
}

constexpr unsigned setup_flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
constexpr unsigned newer_setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                       IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                                       IORING_SETUP_SUBMIT_ALL;

constexpr unsigned needed_features = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
                                     IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG |
                                     IORING_FEAT_CQE_SKIP;

// A ring may be mapped where another thread's ring has been. The kernel sees to the order of that, out of
// ThreadSanitizer's sight: liburing makes its system calls by itself. So the order is shown to it here.
constinit std::atomic<unsigned> rings_ended = 0;

// The sysctl kernel.io_uring_disabled: '0', '1', '2', or ' ' where there is none (before Linux 6.6).
char disabled_by_sysctl() noexcept {
    char value = ' ';
    if (const int file = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC); file >= 0) {
        if (::read(file, &value, 1) != 1) {
            value = ' ';
        }
        ::close(file);
    }
    return value;
}

// What is known of why io_uring_setup(2) failed.
std::string explained(int error) {
    if (error == EPERM) {
        const char disabled = disabled_by_sysctl();
        return disabled == '1' || disabled == '2'
                   ? std::string("io_uring_setup (kernel.io_uring_disabled=") + disabled + ")"
                   : "io_uring_setup (forbidden here, as by a seccomp filter)";
    }
    return error == EINVAL ? "io_uring_setup (Linux 6.1 or later is needed)" : "io_uring_setup";
}

}  // namespace

constinit long (*system_call::io_uring_enter)(io_uring&, const enter_request&) = enter_kernel;

uring_ring::uring_ring(const uring_options& options) : newer_features_(options.newer_features) {
    io_uring_params params{};
    params.flags = newer_features_ ? setup_flags | newer_setup_flags : setup_flags;
    params.cq_entries = options.completions;
    if (const int status =
            ::io_uring_queue_init_params(std::max(options.submissions, entries_min), &ring_, &params);
        status < 0) {
        throw std::system_error(errno_code(-status), explained(-status));
    }
    if ((params.features & needed_features) != needed_features) {
        ::io_uring_queue_exit(&ring_);
        throw std::system_error(errno_code(ENOSYS), "io_uring_setup (a feature is missing)");
    }
    (void)rings_ended.load(std::memory_order_acquire);
    ::io_uring_ring_dontfork(&ring_);  // a child that touched the rings would damage the parent's
    entries_ = params.sq_entries;
    try {
        messages_ = std::make_unique<msghdr[]>(entries_);
    } catch (const std::bad_alloc&) {
        ::io_uring_queue_exit(&ring_);
        throw;
    }
    if (!newer_features_) {
        return;
    }
    if (::io_uring_register_ring_fd(&ring_) == 1) {
        enter_flags_ |= IORING_ENTER_REGISTERED_RING;
    }
    if ((params.features & uring_abi::feature_no_iowait) != 0) {
        enter_flags_ |= uring_abi::enter_no_iowait;  // or an idle server looks busy with disks
    }
    absolute_deadlines_ = (params.features & uring_abi::feature_min_timeout) != 0;
}

uring_ring::~uring_ring() {
    rings_ended.fetch_add(1, std::memory_order_release);
    ::io_uring_queue_exit(&ring_);
}

io_uring_sqe& uring_ring::next() noexcept {
    io_uring_sqe* const free = &ring_.sq.sqes[ring_.sq.sqe_tail++ & ring_.sq.ring_mask];
    std::memset(free, 0, sizeof *free);
    return *free;
}

io_uring_sqe* uring_ring::unsubmitted(std::uint32_t position) const noexcept {
    const std::uint32_t first = __atomic_load_n(ring_.sq.khead, __ATOMIC_ACQUIRE);
    return position - first < ring_.sq.sqe_tail - first ? &ring_.sq.sqes[position & ring_.sq.ring_mask]
                                                        : nullptr;
}

bool uring_ring::owed() const noexcept {
    return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

int uring_ring::enter(unsigned wanted, time_point deadline) noexcept {
    __atomic_store_n(ring_.sq.ktail, ring_.sq.sqe_tail, __ATOMIC_RELEASE);
    io_uring_getevents_arg wait{};
    __kernel_timespec until{};
    unsigned flags = enter_flags_;
    const bool limited = wanted != 0 && deadline != never;
    if (limited) {
        flags |= IORING_ENTER_EXT_ARG;
        duration left = deadline.time_since_epoch();
        if (absolute_deadlines_) {
            flags |= uring_abi::enter_abs_timer;
        } else {
            left = std::max(deadline - kernel_now(), duration::zero());
        }
        until.tv_sec = left / std::chrono::seconds(1);
        until.tv_nsec = (left % std::chrono::seconds(1)).count();
        wait.ts = reinterpret_cast<std::uintptr_t>(&until);
    }
    const long status = system_call::io_uring_enter(
        ring_, {queued(), wanted, flags, limited ? &wait : nullptr, limited ? sizeof wait : 0});
    if (status >= 0) [[likely]] {
        return 0;
    }
    const int error = errno;
    return error == EINTR || error == ETIME ? 0 : -error;
}

// Where the kernel does not tell, or there is no memory to hear it, none is known.
bool uring_ring::knows(std::uint8_t opcode) noexcept {
    if (!std::exchange(probed_, true)) {
        if (io_uring_probe* const told = ::io_uring_get_probe_ring(&ring_)) {
            for (int each = 0; each <= told->last_op; ++each) {
                known_[static_cast<std::size_t>(each)] = ::io_uring_opcode_supported(told, each) != 0;
            }
            ::io_uring_free_probe(told);
        }
    }
    return known_[opcode];
}

std::string uring_ring::features() const {
    std::string text = newer_features_ ? "single-issuer defer-taskrun" : "none";
    if (absolute_deadlines_) {
        text += " absolute-timeouts";
    }
    if ((enter_flags_ & uring_abi::enter_no_iowait) != 0) {
        text += " no-iowait";
    }
    return text;
}

}  // namespace leat
