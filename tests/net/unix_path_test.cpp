// SPDX-License-Identifier: MIT
// Unix sockets and what only a kernel has: the files at their paths, descriptors, and who the peer is.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <stdlib.h>
#include <unistd.h>

using leat::unix_endpoint;
using leat::unix_listener;
using leat::unix_stream;

namespace {

class temporary_folder {
public:
    temporary_folder() {
        std::string made = (std::filesystem::temp_directory_path() / "leat.XXXXXX").string();
        REQUIRE(::mkdtemp(made.data()) != nullptr);
        path_ = made;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

bool is_socket(const std::string& path) {
    return std::filesystem::is_socket(std::filesystem::symlink_status(path));
}

// What binding there fails with.
std::error_code refusal(const std::string& path, leat::unix_listen_options options = {}) {
    try {
        (void)unix_listener::bind(path, options);
    } catch (const std::system_error& error) {
        const std::string what = error.what();
        CHECK(what.starts_with("listen on " + path + ": "));
        return error.code();
    }
    return {};
}

// A path where a socket was, as a process leaves it that is killed.
void leave_socket(const std::string& path) {
    const unix_endpoint at(path);
    const leat::fd left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(left.get(), at.data(), at.size()) == 0);
}

leat::task<bool> answers(unix_listener& listener, std::string path) {
    auto client = co_await unix_stream::connect(path);
    auto server = co_await listener.accept();
    co_await client.send_all("ping");
    char text[4] = {};
    co_await server.recv_exactly(text);
    co_return std::string_view(text, sizeof text) == "ping";
}

}  // namespace

LEAT_TEST("a path is connected to while somebody listens there, and is nothing before and after") {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    const auto before = co_await leat::as_result(unix_stream::connect(path));
    CHECK(before.error() == std::errc::no_such_file_or_directory);
    {
        auto listener = unix_listener::bind(path);
        CHECK(listener.local_endpoint() == unix_endpoint(path));
        const bool served = co_await answers(listener, path);
        CHECK(served);
    }
    std::string after;
    try {
        (void)co_await unix_stream::connect(path);
    } catch (const std::system_error& error) {
        after = error.what();
    }
    CHECK(after == "connect to " + path + ": No such file or directory");
}

LEAT_TEST("the file of a Unix listener goes with it, once, and not another one at its path", on(kernel)) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    auto first = unix_listener::bind(path);
    CHECK(is_socket(path));
    first.close();
    CHECK_FALSE(std::filesystem::exists(path));
    auto moved = [&] {
        auto made = unix_listener::bind(path);
        return unix_listener(std::move(made));
    }();
    CHECK(is_socket(path));
    std::filesystem::remove(path);
    auto second = unix_listener::bind(path);
    moved.close();
    CHECK(is_socket(path));
    const bool served = co_await answers(second, path);
    CHECK(served);
}

LEAT_TEST("a path where something is can be bound anew only where a socket was left, and on demand",
          on(kernel)) {
    const temporary_folder folder;
    const std::string path = folder.file("socket");
    leave_socket(path);
    CHECK(refusal(path) == std::errc::address_in_use);
    CHECK(is_socket(path));
    auto listener = unix_listener::bind(path, {.replace_stale = true});
    const bool served = co_await answers(listener, path);
    CHECK(served);
    CHECK(refusal(path, {.replace_stale = true}) == std::errc::address_in_use);
    CHECK(is_socket(path));
    const std::string text = folder.file("text");
    std::ofstream(text) << "precious";
    CHECK(refusal(text, {.replace_stale = true}) == std::errc::address_in_use);
    CHECK(std::filesystem::file_size(text) == 8);
    CHECK(refusal(folder.file("none/socket"), {.replace_stale = true}) ==
          std::errc::no_such_file_or_directory);
}

LEAT_TEST("the peer of a Unix connection is known by process, user and group", on(kernel)) {
    auto listener = unix_listener::bind({});
    auto client = co_await unix_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    for (const unix_stream* each : {&client, &server}) {
        const leat::unix_credentials peer = each->peer_credentials();
        CHECK(peer.process == ::getpid());
        CHECK(peer.user == ::geteuid());
        CHECK(peer.group == ::getegid());
    }
}

LEAT_TEST("a simulation has no processes: the credentials of a peer are an error", on(simulated)) {
    auto listener = unix_listener::bind({});
    auto client = co_await unix_stream::connect(listener.local_endpoint());
    std::error_code code;
    try {
        (void)client.peer_credentials();
    } catch (const std::system_error& error) {
        code = error.code();
    }
    CHECK(code == std::errc::no_protocol_option);
}

LEAT_TEST("two Unix streams are made connected, and taken over from descriptors", on(kernel)) {
    auto [one, other] = unix_stream::pair();
    auto near = unix_stream::from_fd(::dup(one.native_handle()));
    one.close();
    co_await near.send_all("ping");
    char text[4] = {};
    co_await other.recv_exactly(text);
    CHECK(std::string_view(text, sizeof text) == "ping");

    const temporary_folder folder;
    const std::string path = folder.file("socket");
    const unix_endpoint at(path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(fd, at.data(), at.size()) == 0);
    REQUIRE(::listen(fd, 1) == 0);
    auto listener = unix_listener::from_fd(fd);
    const bool served = co_await answers(listener, path);
    CHECK(served);
    listener.close();
    CHECK(is_socket(path));
}
