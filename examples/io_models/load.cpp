// SPDX-License-Identifier: MIT
#include "load.hpp"

#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace io_models {

namespace {

// Every message differs from every other: a reply that is stale, or another client's, is noticed.
std::array<std::uint64_t, 8> message(std::uint64_t serial) {
    std::array<std::uint64_t, 8> words{};
    for (std::uint64_t& word : words) {
        word = serial = serial * 0x5851f42d4c957f2du + 1;
    }
    return words;
}

}  // namespace

load::load(const sockaddr_in& server, int clients)
    : server_(server), poller_(::epoll_create1(EPOLL_CLOEXEC)), clients_(static_cast<std::size_t>(clients)) {}

bool load::connect(std::size_t index) {
    leat::fd& socket = clients_[index].socket;
    socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        fail("socket");
    }
    const timeval patience{.tv_sec = 1, .tv_usec = 0};  // SO_SNDTIMEO is one for connect(), too
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0) {
        return false;
    }
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = index}};
    if (::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
        fail("epoll_ctl");
    }
    return true;
}

bool load::send_message(client& sender) {
    sender.serial = ++serial_;
    sender.received = 0;
    sender.sent_at = clock::now();
    const auto words = message(sender.serial);
    return ::send(sender.socket.get(), words.data(), message_size, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(message_size);
}

load::reply load::receive(client& receiver) {
    char bytes[message_size + 1];  // more than may come
    const ssize_t count = ::recv(receiver.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count <= 0) {
        return count < 0 && errno == EAGAIN ? reply::none : reply::lost;
    }
    const auto words = message(receiver.serial);
    const auto size = static_cast<std::size_t>(count);
    const char* const expected = reinterpret_cast<const char*>(words.data()) + receiver.received;
    if (receiver.received + size > message_size || !std::equal(bytes, bytes + count, expected)) {
        throw std::runtime_error("a reply differs from its message");
    }
    receiver.received += size;
    return receiver.received == message_size ? reply::whole : reply::none;
}

// Appends the clients whose replies are whole, and counts those that were refused. False: there was nothing
// in time.
bool load::take_replies(clock::duration patience, std::vector<std::size_t>& answered) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    epoll_event events[256];
    const int count = ::epoll_wait(poller_.get(), events, 256, static_cast<int>(limit.count()));
    if (count < 0) {
        fail("epoll_wait");
    }
    now_ = clock::now();
    for (int i = 0; i < count; ++i) {
        const std::size_t index = events[i].data.u64;
        const reply came = receive(clients_[index]);
        if (came == reply::whole) {
            answered.push_back(index);
        } else if (came == reply::lost) {
            clients_[index].socket.reset();
            ++refused_;
        }
    }
    return count > 0;
}

int load::connect_all(clock::duration patience) {
    constexpr std::size_t most_waiting = 64;  // to be accepted: a queue may hold no more than 128
    std::vector<std::size_t> answered;
    std::size_t begun = 0;
    while (answered.size() + refused_ < clients_.size()) {
        if (begun < clients_.size() && begun - answered.size() - refused_ < most_waiting) {
            if (!connect(begun) || !send_message(clients_[begun])) {
                clients_[begun].socket.reset();
                ++refused_;
            }
            ++begun;
        } else if (!take_replies(patience, answered)) {
            break;
        }
    }
    return static_cast<int>(answered.size());
}

load::result load::run(clock::duration length, int busy) {
    std::deque<std::size_t> idle;
    for (std::size_t index = 0; index < clients_.size(); ++index) {
        idle.push_back(index);
    }
    latencies_.clear();
    const clock::time_point begin = now_ = clock::now();
    std::vector<std::size_t> answered;
    for (int under_way = 0;;) {
        while (now_ - begin < length && under_way < busy && !idle.empty()) {
            if (!send_message(clients_[idle.front()])) {
                throw std::runtime_error("a message was not taken");
            }
            idle.pop_front();
            ++under_way;
        }
        if (under_way == 0) {
            return summarize(now_ - begin);
        }
        answered.clear();
        if (!take_replies(std::chrono::seconds(5), answered) || refused_ > 0) {
            throw std::runtime_error(refused_ > 0 ? "a client was disconnected" : "no reply for 5 s");
        }
        for (const std::size_t index : answered) {
            const std::chrono::nanoseconds took = now_ - clients_[index].sent_at;
            latencies_.push_back(
                static_cast<std::uint32_t>(std::min<std::int64_t>(took.count(), UINT32_MAX)));
            idle.push_back(index);
            --under_way;
        }
    }
}

load::result load::summarize(clock::duration elapsed) {
    result found{.replies = latencies_.size(), .elapsed = elapsed};
    const auto quantile = [&](std::size_t hundredths) {
        const auto place =
            latencies_.begin() + static_cast<std::ptrdiff_t>(latencies_.size() * hundredths / 100);
        std::nth_element(latencies_.begin(), place, latencies_.end());
        return std::chrono::nanoseconds(*place);
    };
    found.median = quantile(50);
    found.p99 = quantile(99);
    return found;
}

}  // namespace io_models
