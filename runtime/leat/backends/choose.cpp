// SPDX-License-Identifier: MIT
#include <leat/backends/choose.hpp>

#include <leat/backends/epoll.hpp>
#include <leat/backends/poll.hpp>
#include <leat/backends/uring_options.hpp>
#ifdef LEAT_HAS_URING
#include <leat/backends/uring.hpp>
#endif

#include <cstdlib>
#include <stdexcept>

namespace leat {

namespace {

std::unique_ptr<backend> make_readiness_backend(std::string refused) {
    try {
        return make_epoll_backend(refused);
    } catch (const std::system_error& error) {
        return make_poll_backend(refused + "; epoll refused: " + error.what());
    }
}

#ifdef LEAT_HAS_URING

std::unique_ptr<backend> make_best_backend() {
    std::string refused = uring_self_test();
    if (refused.empty()) {
        try {
            return make_uring_backend();
        } catch (const std::system_error& error) {
            refused = error.what();  // for this thread only: it may be out of descriptors or memory
        }
    }
    return make_readiness_backend("uring refused: " + refused);
}

#else

std::unique_ptr<backend> make_uring_backend(const uring_options& /*options*/ = {}) {
    throw std::system_error(std::make_error_code(std::errc::function_not_supported),
                            "leat was built without io_uring");
}

std::unique_ptr<backend> make_best_backend() {
    return make_readiness_backend("uring refused: leat was built without io_uring");
}

#endif

}  // namespace

std::unique_ptr<backend> make_backend(std::string_view name) {
    if (name.empty()) {
        const char* configured = std::getenv("LEAT_BACKEND");
        name = configured != nullptr && *configured != '\0' ? configured : "auto";
    }
    if (name == "auto") {
        return make_best_backend();
    }
    if (name == "uring") {
        return make_uring_backend();
    }
    if (name == "uring-plain") {
        return make_uring_backend({.newer_features = false});
    }
    if (name == "epoll") {
        return make_epoll_backend();
    }
    if (name == "poll") {
        return make_poll_backend();
    }
    throw std::invalid_argument("unknown backend \"" + std::string(name) +
                                "\": use auto, uring, uring-plain, epoll or poll");
}

}  // namespace leat
