// SPDX-License-Identifier: MIT
// descriptor_owner: the object that a descriptor belongs to, such as an open socket. State that a backend
// keeps under the number of a descriptor belongs to this owner, and not to a later socket with the same
// number.
//
// An owner belongs to one run at a time: from its first operation there until that run ends, or until it is
// closed or detached. Bytes that the backend has received ahead are then given back to it, so that it can go
// on in another run, also of another thread.
// Invariant: only the run that it belongs to uses it or closes it.
#pragma once

#include <leat/check.hpp>
#include <leat/chunk.hpp>

#include <cstdint>
#include <memory>
#include <source_location>

namespace leat {

class backend;

struct descriptor_owner {
    static constexpr const char* rule =
        "a socket is used and closed by the run that it is at home in, until it is detached from that";

    // Misuse by another run, or by a thread that is in none, ends here.
    void check_home(const backend* here,
                    std::source_location where = std::source_location::current()) const noexcept {
        check(home == nullptr || home == here, rule, where);
    }

    backend* home = nullptr;          // the backend it belongs to; null: none
    std::unique_ptr<chunk> returned;  // bytes that the next read sees first (pushback.hpp)
    int descriptor = -1;              // -1: closed, or not open yet
    std::uint8_t ended_by = 0;        // an errno value that the kernel tells only once; no end follows
};

}  // namespace leat
