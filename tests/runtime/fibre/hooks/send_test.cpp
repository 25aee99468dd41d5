// SPDX-License-Identifier: MIT
// What writes in a fibre writes all of it, as on a descriptor that blocks elsewhere, and changes no flags.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

constexpr std::size_t much = 4 << 20;

// Bytes of which each place has its own.
std::string numbered(std::size_t size) {
    std::string text;
    text.reserve(size + 8);
    for (unsigned i = 0; text.size() < size; ++i) {
        text += std::to_string(i) + ' ';
    }
    text.resize(size);
    return text;
}

ssize_t write_in_pieces(int fd, const std::string& text, auto write) {
    std::vector<iovec> pieces;
    for (std::size_t at = 0; at < text.size(); at += 4100) {
        pieces.push_back({.iov_base = const_cast<char*>(text.data()) + at,
                          .iov_len = std::min<std::size_t>(4100, text.size() - at)});
        if (at == 0) {
            pieces.push_back({.iov_base = nullptr, .iov_len = 0});
        }
    }
    REQUIRE(pieces.size() > 1000);
    ssize_t written = 0;
    for (std::size_t at = 0; at < pieces.size(); at += 600) {
        written += write(fd, pieces.data() + at, std::min<std::size_t>(600, pieces.size() - at));
    }
    return written;
}

using whole_write = ssize_t (*)(int fd, const std::string& text);

constexpr std::array<whole_write, 8> on_sockets{
    [](int fd, const std::string& text) { return ::write(fd, text.data(), text.size()); },
    [](int fd, const std::string& text) { return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL); },
    [](int fd, const std::string& text) { return ::sendto(fd, text.data(), text.size(), 0, nullptr, 0); },
    [](int fd, const std::string& text) {
        return write_in_pieces(fd, text, [](int into, iovec* pieces, std::size_t count) {
            return ::writev(into, pieces, static_cast<int>(count));
        });
    },
    [](int fd, const std::string& text) {
        return write_in_pieces(fd, text, [](int into, iovec* pieces, std::size_t count) {
            msghdr message{};
            message.msg_iov = pieces;
            message.msg_iovlen = count;
            return ::sendmsg(into, &message, 0);
        });
    },
    [](int fd, const std::string& text) {
        iovec halves[2]{{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size() / 2},
                        {.iov_base = const_cast<char*>(text.data()) + text.size() / 2,
                         .iov_len = text.size() - text.size() / 2}};
        mmsghdr messages[2]{};
        messages[0].msg_hdr.msg_iov = &halves[0];
        messages[1].msg_hdr.msg_iov = &halves[1];
        messages[0].msg_hdr.msg_iovlen = messages[1].msg_hdr.msg_iovlen = 1;
        const int count = ::sendmmsg(fd, messages, 2, 0);
        return count == 2 ? static_cast<ssize_t>(messages[0].msg_len + messages[1].msg_len) : ssize_t{-1};
    },
    [](int fd, const std::string& text) {
        const leat::fd file(::memfd_create("file", MFD_CLOEXEC));
        put_really(file, text);
        off_t offset = 0;
        const ssize_t sent = ::sendfile(fd, file.get(), &offset, text.size() + 100);
        return offset == sent ? sent : -1;
    },
    [](int fd, const std::string& text) {
        const leat::fd file(::memfd_create("file", MFD_CLOEXEC));
        put_really(file, text);
        REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
        const ssize_t sent = ::sendfile(fd, file.get(), nullptr, text.size());
        return ::lseek(file.get(), 0, SEEK_CUR) == sent ? sent : -1;
    },
};
constexpr std::array<whole_write, 2> on_pipes{on_sockets[0], on_sockets[3]};

leat::task<std::string> everything_written(const leat::fd& into, const leat::fd& from, whole_write write,
                                           const std::string& text) {
    const int flags = ::fcntl(into.get(), F_GETFL);
    ssize_t written = -7;
    auto writing = leat::spawn(leat::blocking([&] { written = write(into.get(), text); }));
    std::string got;
    bool flags_change = false;
    while (!writing.done()) {
        co_await leat::yield();
        got += take_all(from);
        flags_change |= ::fcntl(into.get(), F_GETFL) != flags;
    }
    co_await writing;
    CHECK(!flags_change);
    CHECK(written == static_cast<ssize_t>(text.size()));
    co_return got + take_all(from);
}

}  // namespace

LEAT_TEST("4 MB written to a socket are written whole, and its flags are as before", backends::kernel) {
    const std::string text = numbered(much);
    for (const whole_write write : on_sockets) {
        const ends pair = socket_ends();
        const std::string got = co_await everything_written(pair.ours, pair.theirs, write, text);
        CHECK((got == text));
    }
}

LEAT_TEST("4 MB written to a pipe are written whole, on an older kernel, too", backends::kernel) {
    const std::string text = numbered(much);
    std::optional<older_kernel> older;
    for (int round = 0; round < 2; ++round) {
        for (const whole_write write : on_pipes) {
            const ends pipe = pipe_ends();
            const std::string got = co_await everything_written(pipe.theirs, pipe.ours, write, text);
            CHECK((got == text));
        }
        older.emplace();
    }
}

LEAT_TEST("on an older kernel a pipe that does not block takes a part of a long write", backends::kernel) {
    const older_kernel older;
    const ends pipe = pipe_ends();
    REQUIRE(::fcntl(pipe.theirs.get(), F_SETFL, O_NONBLOCK) == 0);
    const std::string text = numbered(much);
    ssize_t part = 0;
    ssize_t none = 0;
    int error = 0;
    co_await leat::blocking([&] {
        part = ::write(pipe.theirs.get(), text.data(), text.size());
        fill(pipe.theirs);
        none = ::write(pipe.theirs.get(), "a", 1);
        error = errno;
    });
    CHECK(part > 0);
    CHECK(part < static_cast<ssize_t>(much));
    CHECK(none == -1);
    CHECK(error == EAGAIN);
}

LEAT_TEST("a descriptor that does not block takes a part of a long write", backends::kernel) {
    const ends pair = socket_ends();
    const std::string text = numbered(much);
    REQUIRE(::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) == 0);
    const ssize_t part =
        co_await leat::blocking([&] { return ::write(pair.ours.get(), text.data(), text.size()); });
    CHECK(part > 0);
    CHECK(part < static_cast<ssize_t>(much));
}

LEAT_TEST("a write whose peer goes away gives what was taken, and the next one EPIPE", backends::kernel) {
    ends pair = socket_ends();
    const std::string text = numbered(much);
    ssize_t first = -7;
    ssize_t second = -7;
    int error = 0;
    auto writing = leat::spawn(leat::blocking([&] {
        first = ::send(pair.ours.get(), text.data(), text.size(), MSG_NOSIGNAL);
        second = ::send(pair.ours.get(), "a", 1, MSG_NOSIGNAL);
        error = errno;
    }));
    co_await let_others_run();
    pair.theirs.reset();
    co_await writing;
    CHECK(first > 0);
    CHECK(first < static_cast<ssize_t>(much));
    CHECK(second == -1);
    CHECK((error == EPIPE || error == ECONNRESET));
}

LEAT_TEST("a cancelled long write gives what was taken, and the next one is refused", backends::kernel) {
    const ends pair = socket_ends();
    const std::string text = numbered(much);
    ssize_t first = -7;
    ssize_t second = -7;
    int error = 0;
    auto writing = leat::spawn(leat::blocking([&] {
        first = ::write(pair.ours.get(), text.data(), text.size());
        second = ::write(pair.ours.get(), "a", 1);
        error = errno;
    }));
    co_await let_others_run();
    writing.cancel();
    const auto ended = co_await writing.join();
    CHECK(ended.cancelled());
    CHECK(first > 0);
    CHECK(static_cast<ssize_t>(take_all(pair.theirs).size()) == first);
    CHECK(second == -1);
    CHECK(error == ECANCELED);
}
