// SPDX-License-Identifier: MIT
// readiness: how an operation is carried out by system calls that do not block, shared by the backends
// that learn of readiness. What is believed of a descriptor is only ever that a call may be worth trying.
#pragma once

#include <leat/backends/slab_pool.hpp>
#include <leat/operation.hpp>

namespace leat {

// Starts true: a new descriptor is tried before it is waited for.
struct readiness {
    bool readable = true;
    bool writable = true;
    bool hung_up = false;  // seen RDHUP, HUP or ERR: reading is always worth a try
};

// Whether `kind` waits for its descriptor to become readable; otherwise writable.
[[nodiscard]] constexpr bool reads(operation_kind kind) noexcept {
    return kind == operation_kind::accept || kind == operation_kind::recv ||
           kind == operation_kind::recv_chunk || kind == operation_kind::readable;
}

namespace detail {

// One kind of operation each; only called when `ready` says that it is worth a try.
bool attempt_accept(operation& op, readiness& ready) noexcept;
bool attempt_connect(operation& op, readiness& ready) noexcept;
bool attempt_recv(operation& op, readiness& ready) noexcept;
bool attempt_recv_chunk(operation& op, readiness& ready, slab_pool& pool);
bool attempt_send(operation& op, readiness& ready) noexcept;
bool attempt_send_vectors(operation& op, readiness& ready) noexcept;

// Drops the first `count` bytes from what a send_vectors has left to send.
void advance_vectors(operation& op, std::size_t count) noexcept;

}  // namespace detail

// Does as much of `op` as is possible without waiting. True: it is complete, with its result. False: it
// would block; what `whole` has done so far is in op.transferred.
[[nodiscard]] inline bool attempt(operation& op, readiness& ready, slab_pool& pool) {
    switch (op.action) {
        case operation_kind::recv_chunk:
            return ready.readable && detail::attempt_recv_chunk(op, ready, pool);
        case operation_kind::recv:
            return ready.readable && detail::attempt_recv(op, ready);
        case operation_kind::send:
            return ready.writable && detail::attempt_send(op, ready);
        case operation_kind::send_vectors:
            return ready.writable && detail::attempt_send_vectors(op, ready);
        case operation_kind::accept:
            return ready.readable && detail::attempt_accept(op, ready);
        case operation_kind::connect:
            return detail::attempt_connect(op, ready);
        case operation_kind::readable:
        case operation_kind::writable:
            return false;
    }
    return false;
}

}  // namespace leat
