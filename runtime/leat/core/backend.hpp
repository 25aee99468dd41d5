// SPDX-License-Identifier: MIT
// backend: the contract between the scheduler and a kernel, real or simulated. A backend turns submitted
// operations into completed ones. It never resumes a task, and the code above it does not depend on which
// backend it is.
//
//   * submit, cancel, retire and collect are called by the scheduler's thread only; wake by any thread.
//   * A submitted operation stays where it is until it has completed. It completes exactly once: at once
//     (submit returns true), at its cancellation (cancel returns true), or in a later collect.
//   * The completion decides, not the cancel: an operation that was cancelled may still succeed.
//   * One reader and one writer at a time for each descriptor; a second one is misuse. A cancelled one does
//     not count, but keeps its place until it has completed: the next one waits behind it. When that may
//     begin, it is returned with its_turn set, neither begun nor completed, to be submitted again: by then it
//     is known what the cancelled one has received or sent.
//     An operation that is submitted with its_turn set keeps its place until it has been handed over, too: it
//     decides then what it takes of what has come, and perhaps is submitted again.
//   * No descriptor, byte or buffer is lost: what arrives for a cancelled operation is delivered.
//   * State kept under the number of a descriptor belongs to the owner that its operations name
//     (descriptor_owner.hpp). Another owner of the same number begins with fresh state.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/file_operation.hpp>
#include <leat/core/list.hpp>
#include <leat/core/operation.hpp>
#include <leat/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace leat {

// Calls that do not wait. The descriptors they give are non-blocking and close-on-exec.
class socket_calls {
public:
    virtual ~socket_calls() = default;

    // socket(2), accepting SOCK_STREAM or SOCK_DGRAM without flags.
    virtual result<int> open(int family, int type, int protocol) = 0;
    virtual result<void> bind(int fd, const sockaddr* address, socklen_t size) = 0;
    virtual result<void> listen(int fd, int backlog) = 0;
    // shutdown(2); how: SHUT_RD, SHUT_WR, SHUT_RDWR.
    virtual result<void> shutdown(int fd, int how) = 0;
    virtual result<void> set_option(int fd, int level, int name, std::span<const std::byte> value) = 0;
    // getsockopt(2); returns the size written.
    virtual result<std::size_t> option(int fd, int level, int name, std::span<std::byte> value) = 0;
    // getsockname(2) and getpeername(2); return the size of the address.
    virtual result<socklen_t> local_address(int fd, sockaddr_storage& address) = 0;
    virtual result<socklen_t> remote_address(int fd, sockaddr_storage& address) = 0;
    // Whether a receive on the stream `fd` would have to wait: no byte, no end and no error is there. Only a
    // look: bytes stay where they are.
    virtual bool is_quiet(int fd) noexcept = 0;
    // How many bytes of those that were sent on the stream `fd` are still here, because its peer's machine
    // has not taken them; 0 where that is not known.
    virtual std::size_t unsent(int fd) noexcept = 0;
    // How many bytes have come on the stream `fd` so far, read or not; empty where that is not known, as of a
    // socket of the Unix domain.
    virtual std::optional<std::uint64_t> received(int fd) noexcept = 0;
    // send(2) of what the stream `fd` takes at once, without SIGPIPE; errc::resource_unavailable_try_again
    // when that is nothing.
    virtual result<std::size_t> send(int fd, std::span<const std::byte> bytes) = 0;
    // sendmsg(2) of a message that the socket takes at once, without SIGPIPE; the same error when it does
    // not.
    virtual result<std::size_t> send_message(int fd, const msghdr& message) = 0;
    // sendfile(2) of what the stream `fd` takes at once, without SIGPIPE, of a part of a file, if all of that
    // is in memory; the same error when it is not, or when that cannot be told.
    virtual result<std::size_t> send_file(int fd, int file, std::uint64_t offset, std::size_t size) = 0;
};

// Those of the kernel, for sockets that are opened outside of a run.
[[nodiscard]] socket_calls& kernel_socket_calls() noexcept;

// What a backend is and why it was chosen; describe_backend() shows it.
struct backend_description {
    std::string name;      // "epoll", "uring", ...
    std::string features;  // negotiated with the kernel, separated by spaces
    std::string refused;   // the better backends that were refused, each with the reason; empty if none
};

// What a backend that knows host names says of one.
struct name_answer {
    enum class outcome : std::uint8_t { found, unknown, failed, silent };  // silent: no answer comes

    outcome how = outcome::found;
    duration delay = {};                           // until the answer is there
    std::vector<sockaddr_storage> addresses = {};  // best first; their ports are 0
};

// What waits on one descriptor; null where nothing does.
struct waiting_operations {
    const operation* reader = nullptr;
    const operation* writer = nullptr;
};

class backend {
public:
    virtual ~backend() = default;

    // Starts `op`. True: it has completed at once, and the result is in it.
    virtual bool submit(operation& op) = 0;

    // Starts a call on a file. Any number of them may be under way on one descriptor, in no order.
    [[nodiscard]] virtual file_start start_file(file_operation& op) {
        (void)op;
        return file_start::may_block;
    }

    // Asks `op`, which is pending, to end. True: it has ended now, with ECANCELED. False: it completes in
    // a later collect, perhaps with success.
    virtual bool cancel(operation& op) noexcept = 0;

    // Waits until something has completed, `deadline` has passed or wake() was called, and appends what
    // has completed to `done`. A deadline of `long_ago` only looks. May return early with nothing.
    virtual void collect(time_point deadline, list<operation>& done) = 0;

    // Ends the collect under way, or the next one. The only call another thread may make.
    virtual void wake() noexcept = 0;

    // Gives up `fd`, and what is kept for its owner: what is pending on it completes with ECANCELED (a real
    // result that came first is kept), and it closes. `fd` must not be used afterwards. The socket is not
    // shut down: another process may have it too. When operations were pending, or none was ever asked to
    // receive chunks, it is closed when this returns, so that the name it was bound to is free; else it may
    // close later, while it counts as pending. Received bytes that were not read are lost: then the peer of a
    // TCP connection sees a reset, as it does when a kernel finds them unread.
    virtual void retire(int fd) noexcept = 0;

    // Detaches `owner`, which belongs to this backend: armed receives end, the received bytes are in
    // owner.returned, in order, and it belongs to no backend. No task waits on it; cancelled operations that
    // had not completed have, and are appended to `done`. Throws std::bad_alloc; then it still belongs here.
    virtual void detach(descriptor_owner& owner, list<operation>& done) {
        (void)owner;
        (void)done;
    }
    // The same for all owners that belong here, at the end of a run, when nothing is pending. If there is no
    // memory for the bytes of one, it is closed, and its peer sees a reset.
    virtual void detach_all() noexcept {}
    [[nodiscard]] virtual bool is_home_of(const descriptor_owner& owner) const noexcept {
        return owner.home == this;
    }

    // What waits on `fd` now; not what was cancelled or has completed.
    [[nodiscard]] virtual waiting_operations waiting_on(int fd) noexcept {
        (void)fd;
        return {};
    }

    // Operations submitted and not yet completed. Descriptors being retired count too.
    [[nodiscard]] virtual std::size_t pending() const noexcept = 0;

    // Whether collect is called in every turn, also while tasks are ready and nothing is pending.
    [[nodiscard]] virtual bool wants_every_turn() const noexcept { return false; }

    // Whether nothing but wake() would end a collect without a deadline: a kernel never knows that, a
    // simulation does.
    [[nodiscard]] virtual bool only_wake_can_come() const noexcept { return false; }

    // Time for deadlines, and the time of day for certificates and logs.
    [[nodiscard]] virtual time_point now() noexcept = 0;
    // Whether now() differs from the real clock: then time is not measured by other means.
    [[nodiscard]] virtual bool time_is_virtual() const noexcept { return false; }
    [[nodiscard]] virtual std::chrono::system_clock::time_point wall_now() noexcept = 0;
    [[nodiscard]] virtual std::uint64_t random() noexcept = 0;

    [[nodiscard]] virtual socket_calls& sockets() noexcept = 0;
    // The same as sockets().is_quiet(), but also counts bytes that the backend has received ahead.
    [[nodiscard]] virtual bool is_quiet(int fd) noexcept { return sockets().is_quiet(fd); }
    // What becomes of a look-up of `name`, in lower case, when the backend has names of its own, as a
    // simulation does; empty otherwise: then the system is asked. Throws std::bad_alloc.
    [[nodiscard]] virtual std::optional<name_answer> resolve(const std::string& name) {
        (void)name;
        return std::nullopt;
    }
    [[nodiscard]] virtual backend_description describe() const = 0;
};

// Closes `fd` where no run is there to retire it; one of a simulation, too, that is alive in this thread.
void close_descriptor(int fd) noexcept;

}  // namespace leat
