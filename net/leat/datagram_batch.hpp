// SPDX-License-Identifier: MIT
// received_batch and outgoing_batch: many datagrams with few system calls, for udp_socket::recv_batch and
// send_batch. Both are made once and used again and again: then no datagram takes an allocation.
//
//   leat::received_batch questions;
//   leat::outgoing_batch answers;
//   for (;;) {
//       co_await socket.recv_batch(questions);
//       for (const auto& each : questions) { answers.add(answer_to(each.bytes), each.from); }
//       co_await socket.send_batch(answers);
//   }
//
// Where the kernel can (UDP_SEGMENT and UDP_GRO, since Linux 4.18 and 5.0), datagrams to one receiver go
// through it as one, and are taken apart late or not at all. What is sent and received is the same.
#pragma once

#include <leat/bytes.hpp>
#include <leat/core/socket.hpp>
#include <leat/endpoint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace leat {

namespace detail {

// Of many datagrams at once: each counts as one wait of its task.
struct batch_operation : socket_operation {
    using socket_operation::socket_operation;
    [[nodiscard]] int cost() const noexcept { return result > 1 ? static_cast<int>(result) : 1; }
};

}  // namespace detail

// What one recv_batch has received, until the next one.
class received_batch {
public:
    struct entry {
        std::span<std::byte> bytes;  // in the batch
        endpoint from;
        bool truncated = false;  // it was longer than its room, and the rest of it is lost
    };
    class iterator;

    // Room for so many datagrams at once, of so many bytes each. With udp_bind_options::coalesce the kernel
    // gives several of one sender in one room: that is 65,535 bytes then, or misuse. None of either is
    // misuse.
    explicit received_batch(std::size_t datagrams = 32, std::size_t bytes_of_each = 2048);
    // Receiving into one that was moved from is misuse; it is empty.
    received_batch(received_batch&& other) noexcept
        : room_(other.room_),
          messages_(std::exchange(other.messages_, 0)),
          size_(std::exchange(other.size_, 0)),
          headers_(std::move(other.headers_)),
          slots_(std::move(other.slots_)),
          bytes_(std::move(other.bytes_)) {}
    received_batch& operator=(received_batch&& other) noexcept {
        room_ = other.room_;
        messages_ = std::exchange(other.messages_, 0);
        size_ = std::exchange(other.size_, 0);
        headers_ = std::move(other.headers_);
        slots_ = std::move(other.slots_);
        bytes_ = std::move(other.bytes_);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    // In the order in which they came.
    [[nodiscard]] iterator begin() const noexcept;
    [[nodiscard]] iterator end() const noexcept;
    [[nodiscard]] std::size_t bytes_of_each() const noexcept { return room_; }

private:
    friend class recv_batch_awaiter;

    // Beside the bytes of one message.
    struct slot {
        iovec bytes;
        sockaddr_in6 from;  // or a sockaddr_in
        alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(int))];
        std::size_t segment;  // the size of the datagrams in it, but of the last, which may be smaller
    };

    // Empties it: all rooms are free. Before each receive.
    [[nodiscard]] std::span<mmsghdr> offer() noexcept;
    // So many messages have been received.
    void note(std::size_t messages) noexcept;
    [[nodiscard]] entry at(std::size_t message, std::size_t offset) const noexcept;
    void reset(std::size_t message) noexcept;

    std::size_t room_;
    std::size_t messages_ = 0;  // received
    std::size_t size_ = 0;      // datagrams in them
    std::vector<mmsghdr> headers_;
    std::vector<slot> slots_;
    std::unique_ptr<std::byte[]> bytes_;
};

class received_batch::iterator {
public:
    using value_type = entry;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    entry operator*() const noexcept { return of_->at(message_, offset_); }
    iterator& operator++() noexcept;
    iterator operator++(int) noexcept {
        const iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

private:
    friend received_batch;
    iterator(const received_batch& of, std::size_t message) noexcept : of_(&of), message_(message) {}

    const received_batch* of_ = nullptr;
    std::size_t message_ = 0;
    std::size_t offset_ = 0;
};

// Datagrams that are to be sent, in order. What has been sent is not in it any more.
class outgoing_batch {
public:
    outgoing_batch();
    // Adding to one that was moved from is misuse; it is empty.
    outgoing_batch(outgoing_batch&& other) noexcept
        : bytes_(std::move(other.bytes_)),
          items_(std::move(other.items_)),
          first_(std::exchange(other.first_, 0)),
          formed_(std::move(other.formed_)),
          asked_(other.asked_),
          segments_below_(other.segments_below_) {}
    outgoing_batch& operator=(outgoing_batch&& other) noexcept {
        bytes_ = std::move(other.bytes_);
        items_ = std::move(other.items_);
        first_ = std::exchange(other.first_, 0);
        formed_ = std::move(other.formed_);
        asked_ = other.asked_;
        segments_below_ = other.segments_below_;
        return *this;
    }

    // Copies the bytes behind the others; to `to`, or to the peer that the socket is connected to. Throws
    // std::bad_alloc, and nothing has changed; it allocates when it becomes larger than it ever was.
    void add(byte_view bytes, const endpoint& to);
    void add(byte_view bytes);
    [[nodiscard]] std::size_t size() const noexcept { return items_.size() - first_; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    void clear() noexcept;
    // Forgets the first one, which a send_batch has failed with.
    void drop_first() noexcept;

private:
    friend class udp_socket;

    struct item {
        std::size_t begin;
        std::size_t size;
        endpoint to;
        bool named;
    };
    static constexpr std::size_t messages_max = 64;
    // What the kernel is given at once.
    struct formed {
        std::array<mmsghdr, messages_max> headers;
        std::array<iovec, messages_max> bytes;
        std::array<std::uint16_t, messages_max> datagrams;  // in each
        struct alignas(cmsghdr) segment {
            std::byte control[CMSG_SPACE(sizeof(std::uint16_t))];
        };
        std::array<segment, messages_max> segments;
    };

    void add(byte_view bytes, const endpoint& to, bool named);
    // How many from `first` on can go as one message.
    [[nodiscard]] std::size_t run_from(std::size_t first) const noexcept;
    [[nodiscard]] std::span<mmsghdr> form() noexcept;
    // The kernel has taken so many messages.
    void note_sent(std::size_t messages) noexcept;
    // After an error of the first message: true if it is to be sent in another way.
    [[nodiscard]] bool forms_otherwise(std::error_code why) noexcept;
    void drop(std::size_t count) noexcept;

    std::vector<std::byte> bytes_;
    std::vector<item> items_;
    std::size_t first_ = 0;  // of those that have not been sent
    std::unique_ptr<formed> formed_;
    bool asked_ = false;              // whether the kernel takes segments
    std::size_t segments_below_ = 0;  // it does so of segments that are smaller
};

// co_await gives std::size_t: how many datagrams are in the batch; at least one. The batch stays alive and
// untouched until then, and is empty if it fails. Cancelled: no datagram was taken. Errors as of recv_from.
class [[nodiscard]] recv_batch_awaiter
    : public detail::leaf_awaiter<recv_batch_awaiter, detail::batch_operation> {
public:
    recv_batch_awaiter(detail::socket_state& socket, received_batch& into) noexcept
        : leaf_awaiter(detail::recv_kind, operation_kind::recv_datagrams, socket), into_(into) {}
    bool take_now();
    leat::result<std::size_t> take() noexcept;
    std::size_t await_resume();

private:
    received_batch& into_;
};

}  // namespace leat
