// SPDX-License-Identifier: MIT
// choose: which backend a scheduler gets: by name, or the best one that this kernel allows. It is normal that
// the kernel refuses the better one (old kernel, seccomp filter, sysctl); describe() says why.
#pragma once

#include <leat/core/backend.hpp>

#include <memory>
#include <string_view>

namespace leat {

// `name` is "uring", "uring-plain" (io_uring without its newer features: uring_options.hpp), "epoll", "poll"
// or "auto"; empty means the environment variable LEAT_BACKEND, else "auto". Throws std::invalid_argument
// that lists the names for any other, and std::system_error when the kernel refuses the one that was asked
// for.
[[nodiscard]] std::unique_ptr<backend> make_backend(std::string_view name);

}  // namespace leat
