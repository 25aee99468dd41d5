// SPDX-License-Identifier: MIT
// operation: one request to the kernel. It lives in the frame of the coroutine that awaits it, and is never
// moved or copied while a backend has it. Backends read the arguments and write the result.
// Invariant: a submitted operation completes exactly once, with its own result; cancelling only asks.
#pragma once

#include <leat/chunk.hpp>
#include <leat/core/descriptor_owner.hpp>
#include <leat/core/wait.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace leat {

enum class operation_kind : std::uint8_t {
    // These wait for their descriptor to become readable.
    accept,          // result: the new descriptor (non-blocking, close-on-exec). address: the peer, if asked
    recv,            // buffer, length: where to. result: bytes, 0 at the end. `whole`: fills the buffer
    recv_chunk,      // pool, buffer, length: a leased buffer and its index. result: bytes in it, 0 at the end
    recv_datagram,   // message: where to. result: bytes of one datagram. Its name and flags are in the
                     // message; descriptors that come with it are close-on-exec
    recv_datagrams,  // messages, length: where to, one each. result: how many came, at least one
    readable,        // result: 0 once a read would not block (data, end or error)
    // And these to become writable.
    connect,         // address: where to. result: 0
    send,            // buffer, length: what. result: bytes. `whole`: sends all of it
    send_vectors,    // vectors, length: how many of them. result: bytes. `whole` as above; the vectors may
                     // change
    send_datagram,   // message: what, and where to. result: bytes, which are all of it
    send_datagrams,  // messages, length: what, and where to. result: how many have gone, at least one
    writable,        // result: 0 once a write would not block
    // A call on a file, which backend::start_file() starts (file_operation.hpp).
    file,
};

inline constexpr std::size_t operation_kinds = static_cast<std::size_t>(operation_kind::file) + 1;

[[nodiscard]] constexpr bool reads(operation_kind kind) noexcept {
    return kind <= operation_kind::readable;
}

struct operation : wait {
    explicit operation(const wait_kind& what, operation_kind asked, int fd) noexcept
        : wait(what), action(asked), descriptor(fd) {}

    // Bytes cost time as well.
    [[nodiscard]] int cost() const noexcept {
        constexpr std::int64_t bytes_of_one = 16 * 1024;
        constexpr std::int64_t cost_max = 1000;  // more than a whole turn has
        if (result < bytes_of_one) [[likely]] {
            return 1;
        }
        return static_cast<int>(std::min(1 + result / bytes_of_one, cost_max));
    }

    operation_kind action;
    bool whole = false;             // recv, send: do all, not some. Ends short at end of stream or an error
    bool cancel_requested = false;  // backend::cancel has been called
    bool retired = false;           // its descriptor was retired: ends with ECANCELED, which is an error
    // It has waited behind a cancelled one, and is to be submitted again; or it decides when it has completed
    // whether it is over. Either way the loop asks wait_kind::begin.
    bool its_turn = false;
    // Its descriptor is of the Unix domain, or may be. Then a recv may end before what is there, as it does
    // at SCM_RIGHTS (unix(7)).
    bool of_unix = false;
    std::uint8_t phase = 0;  // the backend's own note of how far it is
    int descriptor;
    union {
        std::byte* buffer = nullptr;
        iovec* vectors;
        sockaddr* address;
        msghdr* message;
        mmsghdr* messages;
    };
    std::size_t length = 0;        // of buffer; number of vectors, messages; size of address
    std::int64_t result = 0;       // at least 0, or a negated errno
    std::int64_t transferred = 0;  // send, `whole`: bytes done so far; they survive an error or a cancel. Of
                                   // several datagrams: their bytes, once it has completed
    buffer_pool* pool = nullptr;   // recv_chunk: whose buffer it is
    // Whose descriptor it is. Null: leat does not know, as for readable().
    descriptor_owner* owner = nullptr;

    // The end of a recv_chunk: `size` bytes in a buffer that the awaiter owns from now on.
    void deliver(buffer_pool& from, std::byte* leased, std::uint32_t index, std::int64_t size) noexcept {
        pool = &from;
        buffer = leased;
        length = index;
        result = size;
    }
    [[nodiscard]] chunk received() noexcept {
        return pool == nullptr
                   ? chunk()
                   : chunk(*std::exchange(pool, nullptr), buffer, static_cast<std::uint32_t>(length),
                           static_cast<std::uint32_t>(result));
    }
};

// Whether `done` ended as cancelled: it was requested, and there is no other result.
[[nodiscard]] inline bool ended_cancelled(const operation& done) noexcept {
    return done.cancel_requested && !done.retired && (done.result == -ECANCELED || done.result == -EINTR);
}

}  // namespace leat
