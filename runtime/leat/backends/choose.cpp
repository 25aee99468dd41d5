// SPDX-License-Identifier: MIT
#include <leat/backends/choose.hpp>

#include <leat/backends/epoll.hpp>

#include <cstdlib>
#include <stdexcept>

namespace leat {

std::unique_ptr<backend> make_backend(std::string_view name) {
    if (name.empty()) {
        const char* configured = std::getenv("LEAT_BACKEND");
        name = configured != nullptr && *configured != '\0' ? configured : "auto";
    }
    if (name == "epoll" || name == "auto") {
        return make_epoll_backend();
    }
    throw std::invalid_argument("unknown backend \"" + std::string(name) + "\": use auto, uring or epoll");
}

}  // namespace leat
