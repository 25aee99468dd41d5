// SPDX-License-Identifier: MIT
// calls: every interposed call that can wait, each in a situation in which it has to. The tests of what all
// of them have in common go through this list.
#pragma once

#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/fd.hpp>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

namespace hook_tests {

// Something that a call waits for.
class situation {
public:
    virtual ~situation() = default;
    // The call; what it gives.
    virtual long call() = 0;
    // What it waits for comes, for one call.
    virtual void enable() = 0;
    // Whether what has come was left there by a call that was refused.
    virtual bool is_left() = 0;
};

// A call on our end of a socket, to which the other end sends two bytes.
class reading : public situation {
public:
    explicit reading(long (*function)(int fd)) : function_(function) {}
    long call() override { return function_(pair_.ours.get()); }
    void enable() override { put(pair_.theirs, "ab"); }
    bool is_left() override { return take_all(pair_.ours) == "ab"; }

private:
    long (*function_)(int fd);
    ends pair_ = socket_ends();
};

// A call on a socket that is full, which the other end empties.
class writing : public situation {
public:
    explicit writing(long (*function)(int fd)) : function_(function) { fill(pair_.ours); }
    long call() override { return function_(pair_.ours.get()); }
    void enable() override { take_all(pair_.theirs); }
    bool is_left() override { return take_all(pair_.theirs).empty(); }

private:
    long (*function_)(int fd);
    ends pair_ = socket_ends();
};

class accepting : public situation {
public:
    explicit accepting(int (*function)(int fd)) : function_(function) {}
    long call() override {
        accepted_ = leat::fd(function_(listener_.descriptor.get()));
        return accepted_ ? 1 : -1;
    }
    void enable() override { client_ = listener_.connect(); }
    bool is_left() override {
        pollfd waiting{.fd = listener_.descriptor.get(), .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, 0) == 1;
    }

private:
    int (*function_)(int fd);
    unix_listener listener_;
    leat::fd client_;
    leat::fd accepted_;
};

class connecting : public situation {
public:
    long call() override {
        ours_ = leat::fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        return ::connect(ours_.get(), listener_.name(), listener_.size) == 0 ? 1 : -1;
    }
    void enable() override { accepted_ = leat::fd(::accept(listener_.descriptor.get(), nullptr, nullptr)); }
    bool is_left() override { return static_cast<bool>(listener_.connect()); }

private:
    unix_listener listener_{0};
    std::vector<leat::fd> others_ = listener_.fill();
    leat::fd ours_;
    leat::fd accepted_;
};

// A child that ends when its input does.
class reaping : public situation {
public:
    explicit reaping(pid_t (*function)(pid_t child)) : function_(function) {
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            char byte = 0;
            pair_.theirs.reset();
            ::_exit(::read(pair_.ours.get(), &byte, 1) == 0 ? 0 : 1);
        }
        pair_.ours.reset();
    }
    ~reaping() override {
        pair_.theirs.reset();
        if (!reaped_) {
            ::waitpid(child_, nullptr, 0);
        }
    }
    long call() override {
        reaped_ = function_(child_) == child_;
        return reaped_ ? 1 : -1;
    }
    void enable() override { pair_.theirs.reset(); }
    bool is_left() override { return !reaped_; }

private:
    pid_t (*function_)(pid_t child);
    ends pair_ = pipe_ends();
    pid_t child_ = -1;
    bool reaped_ = false;
};

struct tried_call {
    std::string_view name;
    std::unique_ptr<situation> (*make)();
    // The call alone, of one that moves bytes or asks for that.
    long (*make_on)(int fd) = nullptr;
    bool reads = false;
    bool asks = false;
};

template <typename Situation, auto function>
std::unique_ptr<situation> situation_of() {
    return std::make_unique<Situation>(function);
}

template <auto function>
constexpr tried_call read_call(std::string_view name) {
    return {name, situation_of<reading, function>, function, true};
}
template <auto function>
constexpr tried_call write_call(std::string_view name) {
    return {name, situation_of<writing, function>, function};
}
template <typename Situation, auto function>
constexpr tried_call asking_call(std::string_view name) {
    return {name, situation_of<Situation, function>, function, true, true};
}

inline long epoll_on(int fd, auto wait) {
    const leat::fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    REQUIRE(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0);
    return wait(epoll.get(), &event);
}

inline long read_message(int fd) {
    char bytes[8];
    iovec into{.iov_base = bytes, .iov_len = sizeof bytes};
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    return ::recvmsg(fd, &message, 0);
}

inline long read_messages(int fd) {
    char bytes[8];
    iovec into{.iov_base = bytes, .iov_len = sizeof bytes};
    mmsghdr messages[2]{};
    messages[0].msg_hdr.msg_iov = &into;
    messages[0].msg_hdr.msg_iovlen = 1;
    return ::recvmmsg(fd, messages, 1, 0, nullptr);
}

inline long write_message(int fd) {
    char byte = 'a';
    iovec from{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &from;
    message.msg_iovlen = 1;
    return ::sendmsg(fd, &message, 0);
}

inline long write_messages(int fd) {
    char byte = 'a';
    iovec from{.iov_base = &byte, .iov_len = 1};
    mmsghdr message{};
    message.msg_hdr.msg_iov = &from;
    message.msg_hdr.msg_iovlen = 1;
    return ::sendmmsg(fd, &message, 1, 0);
}

inline void put_really(const leat::fd& into, std::string_view text) {
    const leat::really_block here;  // is not what is tried
    put(into, text);
}

inline long send_a_file(int fd) {
    const leat::fd file(::memfd_create("file", MFD_CLOEXEC));
    put_really(file, "a");
    off_t offset = 0;
    return ::sendfile(fd, file.get(), &offset, 1);
}

inline long splice_in(int fd) {
    const ends pipe = pipe_ends();
    return ::splice(fd, nullptr, pipe.theirs.get(), nullptr, 2, 0);
}

inline long splice_out(int fd) {
    const ends pipe = pipe_ends();
    put_really(pipe.theirs, "a");
    return ::splice(pipe.ours.get(), nullptr, fd, nullptr, 1, 0);
}

inline constexpr auto by_poll = [](int fd) -> long {
    pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, -1);
};
inline constexpr auto by_ppoll = [](int fd) -> long {
    pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
    return ::ppoll(&asked, 1, nullptr, nullptr);
};
inline constexpr auto by_select = [](int fd) -> long {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return ::select(fd + 1, &set, nullptr, nullptr, nullptr);
};
inline constexpr auto by_pselect = [](int fd) -> long {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return ::pselect(fd + 1, nullptr, &set, nullptr, nullptr, nullptr);
};
inline constexpr auto by_epoll_wait = [](int fd) -> long {
    return epoll_on(fd, [](int epoll, epoll_event* event) { return ::epoll_wait(epoll, event, 1, -1); });
};
inline constexpr auto by_epoll_pwait = [](int fd) -> long {
    return epoll_on(
        fd, [](int epoll, epoll_event* event) { return ::epoll_pwait(epoll, event, 1, -1, nullptr); });
};
inline constexpr auto by_read = [](int fd) -> long {
    char bytes[8];
    return ::read(fd, bytes, sizeof bytes);
};
inline constexpr auto by_readv = [](int fd) -> long {
    char bytes[2];
    const iovec into[2]{{.iov_base = bytes, .iov_len = 1}, {.iov_base = bytes + 1, .iov_len = 1}};
    return ::readv(fd, into, 2);
};
inline constexpr auto by_recv = [](int fd) -> long {
    char bytes[8];
    return ::recv(fd, bytes, sizeof bytes, 0);
};
inline constexpr auto by_recvfrom = [](int fd) -> long {
    char bytes[8];
    return ::recvfrom(fd, bytes, sizeof bytes, 0, nullptr, nullptr);
};
inline constexpr auto by_write = [](int fd) -> long { return ::write(fd, "a", 1); };
inline constexpr auto by_writev = [](int fd) -> long {
    char byte = 'a';
    const iovec from{.iov_base = &byte, .iov_len = 1};
    return ::writev(fd, &from, 1);
};
inline constexpr auto by_send = [](int fd) -> long { return ::send(fd, "a", 1, 0); };
inline constexpr auto by_sendto = [](int fd) -> long { return ::sendto(fd, "a", 1, 0, nullptr, 0); };

inline constexpr std::array tried_calls{
    read_call<+by_read>("read"),
    read_call<+by_readv>("readv"),
    read_call<+by_recv>("recv"),
    read_call<+by_recvfrom>("recvfrom"),
    read_call<&read_message>("recvmsg"),
    read_call<&read_messages>("recvmmsg"),
    read_call<&splice_in>("splice from a socket"),
    asking_call<reading, +by_poll>("poll"),
    asking_call<reading, +by_ppoll>("ppoll"),
    asking_call<reading, +by_select>("select"),
    asking_call<writing, +by_pselect>("pselect"),
    asking_call<reading, +by_epoll_wait>("epoll_wait"),
    asking_call<reading, +by_epoll_pwait>("epoll_pwait"),
    write_call<+by_write>("write"),
    write_call<+by_writev>("writev"),
    write_call<+by_send>("send"),
    write_call<+by_sendto>("sendto"),
    write_call<&write_message>("sendmsg"),
    write_call<&write_messages>("sendmmsg"),
    write_call<&send_a_file>("sendfile"),
    write_call<&splice_out>("splice to a socket"),
    tried_call{"accept", situation_of<accepting, +[](int fd) { return ::accept(fd, nullptr, nullptr); }>},
    tried_call{
        "accept4",
        situation_of<accepting, +[](int fd) { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC); }>},
    tried_call{"connect", [] { return std::unique_ptr<situation>(std::make_unique<connecting>()); }},
    tried_call{"waitpid", situation_of<reaping, +[](pid_t child) { return ::waitpid(child, nullptr, 0); }>},
    tried_call{"wait4",
               situation_of<reaping, +[](pid_t child) { return ::wait4(child, nullptr, 0, nullptr); }>},
};

}  // namespace hook_tests
