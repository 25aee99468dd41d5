// SPDX-License-Identifier: MIT
#include <leat/fibre/await.hpp>

#include <leat/fibre/core/fibre_wait.hpp>

namespace leat::detail {

void await_scope::throw_cancelled() {
    note_refused_await();
    throw fibre_cancelled();
}

}  // namespace leat::detail
