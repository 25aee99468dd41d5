// SPDX-License-Identifier: MIT
// really_block: inside it calls block the thread, also in a fibre, as they do elsewhere:
//
//   const leat::really_block here;
//   ::read(device, buffer, size);  // the whole thread waits
#pragma once

#include <leat/fibre/core/fibre_wait.hpp>

#include <utility>

namespace leat {

// leat::await waits as ever. Outside a fibre it does nothing.
struct really_block {
    really_block() noexcept : before_(std::exchange(detail::this_fibre.hooked, nullptr)) {}
    really_block(const really_block&) = delete;
    really_block& operator=(const really_block&) = delete;
    ~really_block() { detail::this_fibre.hooked = before_; }

private:
    detail::fibre* before_;
};

}  // namespace leat
