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

// Does as much of `op` as is possible without waiting. True: it is complete, with its result. False: it
// would block; what `whole` has done so far is in op.transferred.
[[nodiscard]] bool attempt(operation& op, readiness& ready, slab_pool& pool);

}  // namespace leat
