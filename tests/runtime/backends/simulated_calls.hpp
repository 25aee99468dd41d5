// SPDX-License-Identifier: MIT
// Socket calls as the tests of the simulated network make them: descriptors that close themselves, and
// operations that tell their results as the backend does.
#pragma once

#include <leat/endpoint.hpp>
#include <leat/io.hpp>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/un.h>

namespace simulated_tests {

inline leat::socket_calls& calls() {
    return leat::current_scheduler().io().sockets();
}

class open_socket {
public:
    explicit open_socket(std::int64_t number) : number_(static_cast<int>(number)) {}
    open_socket(int family, int type) : number_(calls().open(family, type, 0).value("socket")) {}
    open_socket(const open_socket&) = delete;
    open_socket& operator=(const open_socket&) = delete;
    ~open_socket() {
        if (number_ >= 0) {
            leat::current_scheduler().io().retire(number_);
        }
    }
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

// co_await gives the result: a count, or a negated errno.
class [[nodiscard]] call : public leat::io_awaiter {
public:
    call(leat::operation_kind kind, const open_socket& on, const void* argument, std::size_t size) noexcept
        : io_awaiter(leat::detail::readable_kind, kind, on.number()) {
        buffer = static_cast<std::byte*>(const_cast<void*>(argument));
        length = size;
    }
    std::int64_t await_resume() const noexcept { return operation::result; }
};

inline call send(const open_socket& from, std::string_view text) {
    return {leat::operation_kind::send, from, text.data(), text.size()};
}

inline call recv(const open_socket& on, std::span<char> into) {
    return {leat::operation_kind::recv, on, into.data(), into.size()};
}

inline call accept(const open_socket& on) {
    return {leat::operation_kind::accept, on, nullptr, 0};
}

// What is received next, at most 100 bytes; "errno N" when that failed.
inline leat::task<std::string> received(const open_socket& on) {
    char text[100];
    const std::int64_t count = co_await recv(on, text);
    co_return count >= 0 ? std::string(text, static_cast<std::size_t>(count))
                         : "errno " + std::to_string(-count);
}

inline leat::task<std::int64_t> connect(const open_socket& from, leat::endpoint to) {
    call connecting(leat::operation_kind::connect, from, to.data(), to.size());
    co_return co_await connecting;
}

inline leat::endpoint bound(const open_socket& one, const leat::endpoint& at) {
    calls().bind(one.number(), at.data(), at.size()).value("bind");
    sockaddr_storage name{};
    const socklen_t size = calls().local_address(one.number(), name).value("getsockname");
    return leat::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), size);
}

// A Unix address; an abstract one begins with a zero.
struct path_name {
    explicit path_name(std::string_view path)
        : size(static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                      (path.starts_with('\0') ? 0 : 1))) {
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), path.size());
    }
    [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&name); }

    sockaddr_un name{};
    socklen_t size;
};

inline leat::task<std::int64_t> connect(const open_socket& from, path_name to) {
    call connecting(leat::operation_kind::connect, from, to.data(), to.size);
    co_return co_await connecting;
}

}  // namespace simulated_tests
