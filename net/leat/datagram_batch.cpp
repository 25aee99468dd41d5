// SPDX-License-Identifier: MIT
#include <leat/datagram_batch.hpp>

#include <leat/core/socket_opening.hpp>
#include <leat/udp.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include <netinet/udp.h>

namespace leat {

namespace {

constexpr std::size_t segments_max = 64;         // UDP_MAX_SEGMENTS of the first kernels that had it
constexpr std::size_t message_max = 65'507 - 7;  // over IPv4 the largest, some bytes less to be sure
constexpr std::size_t largest_message = 65'535;  // that is ever received

constexpr const char* moved_from = "the batch was moved from";

// Throws what new does for more than there can be.
std::size_t bytes_of_all(std::size_t datagrams, std::size_t bytes_of_each) {
    if (datagrams != 0 && bytes_of_each > std::numeric_limits<std::size_t>::max() / datagrams) {
        throw std::bad_array_new_length();
    }
    return datagrams * bytes_of_each;
}

}  // namespace

received_batch::received_batch(std::size_t datagrams, std::size_t bytes_of_each)
    : room_(bytes_of_each),
      headers_(datagrams),
      slots_(datagrams),
      bytes_(new std::byte[bytes_of_all(datagrams, bytes_of_each)]) {
    check(datagrams > 0 && bytes_of_each > 0, "a batch has room for a datagram");
    for (std::size_t message = 0; message < datagrams; ++message) {
        slots_[message].bytes = {bytes_.get() + message * room_, room_};
        reset(message);
    }
}

void received_batch::reset(std::size_t message) noexcept {
    slot& its = slots_[message];
    msghdr& header = headers_[message].msg_hdr;
    header.msg_name = &its.from;
    header.msg_namelen = sizeof its.from;
    header.msg_iov = &its.bytes;
    header.msg_iovlen = 1;
    header.msg_control = its.control;
    header.msg_controllen = sizeof its.control;
    header.msg_flags = 0;
}

std::span<mmsghdr> received_batch::offer() noexcept {
    check(!headers_.empty(), moved_from);
    for (std::size_t message = 0; message < messages_; ++message) {
        reset(message);
    }
    messages_ = 0;
    size_ = 0;
    return headers_;
}

void received_batch::note(std::size_t messages) noexcept {
    messages_ = messages;
    for (std::size_t message = 0; message < messages; ++message) {
        msghdr& header = headers_[message].msg_hdr;
        const std::size_t size = headers_[message].msg_len;
        std::size_t segment = size;
        for (cmsghdr* part = CMSG_FIRSTHDR(&header);
             part != nullptr && part->cmsg_len >= CMSG_LEN(sizeof(int)); part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
                int told = 0;
                std::memcpy(&told, CMSG_DATA(part), sizeof told);
                segment = told > 0 ? static_cast<std::size_t>(told) : size;
            }
        }
        slots_[message].segment = std::max<std::size_t>(segment, 1);
        size_ += std::max<std::size_t>((size + slots_[message].segment - 1) / slots_[message].segment, 1);
    }
}

received_batch::entry received_batch::at(std::size_t message, std::size_t offset) const noexcept {
    const slot& its = slots_[message];
    const mmsghdr& header = headers_[message];
    const std::size_t whole = header.msg_len;
    const std::size_t size = std::min(its.segment, whole - offset);
    entry made;
    made.bytes = {static_cast<std::byte*>(its.bytes.iov_base) + offset, size};
    made.truncated = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0 && offset + size == whole;
    const socklen_t named = header.msg_hdr.msg_namelen;
    const bool ipv4 = named >= sizeof(sockaddr_in) && its.from.sin6_family == AF_INET;
    const bool ipv6 = named >= sizeof(sockaddr_in6) && its.from.sin6_family == AF_INET6;
    if (ipv4 || ipv6) {
        made.from = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&its.from), named);
    }
    return made;
}

received_batch::iterator received_batch::begin() const noexcept {
    return {*this, 0};
}

received_batch::iterator received_batch::end() const noexcept {
    return {*this, messages_};
}

received_batch::iterator& received_batch::iterator::operator++() noexcept {
    offset_ += of_->slots_[message_].segment;
    if (offset_ >= of_->headers_[message_].msg_len) {
        offset_ = 0;
        ++message_;
    }
    return *this;
}

bool recv_batch_awaiter::take_now() {
    check(!socket().coalesces || into_.bytes_of_each() >= largest_message,
          "a batch for a socket that coalesces datagrams has room for 65,535 bytes of each");
    const std::span<mmsghdr> offered = into_.offer();
    messages = offered.data();
    length = offered.size();
    return begin();
}

leat::result<std::size_t> recv_batch_awaiter::take() noexcept {
    if (operation::result < 0) {
        return error();
    }
    into_.note(static_cast<std::size_t>(operation::result));
    return into_.size();
}

std::size_t recv_batch_awaiter::await_resume() {
    const leat::result<std::size_t> count = take();
    if (!count.ok()) [[unlikely]] {
        throw std::system_error(count.error(), "recv_batch");
    }
    return *count;
}

outgoing_batch::outgoing_batch() : formed_(new formed) {}

void outgoing_batch::add(byte_view bytes, const endpoint& to) {
    add(bytes, to, true);
}

void outgoing_batch::add(byte_view bytes) {
    add(bytes, endpoint(), false);
}

void outgoing_batch::add(byte_view bytes, const endpoint& to, bool named) {
    check(formed_ != nullptr, moved_from);
    const std::size_t begin = bytes_.size();
    bytes_.insert(bytes_.end(), bytes.data(), bytes.data() + bytes.size());
    try {
        items_.push_back({.begin = begin, .size = bytes.size(), .to = to, .named = named});
    } catch (...) {
        bytes_.resize(begin);
        throw;
    }
}

void outgoing_batch::clear() noexcept {
    bytes_.clear();
    items_.clear();
    first_ = 0;
}

void outgoing_batch::drop_first() noexcept {
    check(!empty(), "an empty batch has no first datagram");
    drop(1);
}

// Their bytes stay until the last one has gone.
void outgoing_batch::drop(std::size_t count) noexcept {
    first_ += count;
    if (first_ == items_.size()) {
        clear();
    }
}

// All but the last have the size of the first, and the last is not larger.
std::size_t outgoing_batch::run_from(std::size_t first) const noexcept {
    const item& front = items_[first];
    std::size_t count = 1;
    if (front.size == 0 || front.size >= segments_below_) {
        return count;
    }
    std::size_t bytes = front.size;
    for (std::size_t next = first + 1; next < items_.size() && count < segments_max; ++next, ++count) {
        const item& its = items_[next];
        bytes += its.size;
        const bool same_receiver = its.named == front.named && (!its.named || its.to == front.to);
        if (!same_receiver || its.size == 0 || its.size > front.size || bytes > message_max) {
            break;
        }
        if (its.size < front.size) {
            return count + 1;
        }
    }
    return count;
}

std::span<mmsghdr> outgoing_batch::form() noexcept {
    std::size_t count = 0;
    for (std::size_t first = first_; first < items_.size() && count < messages_max; ++count) {
        item& front = items_[first];
        const std::size_t run = run_from(first);
        const item& last = items_[first + run - 1];
        formed_->datagrams[count] = static_cast<std::uint16_t>(run);
        formed_->bytes[count] = {bytes_.data() + front.begin, last.begin + last.size - front.begin};
        msghdr& header = formed_->headers[count].msg_hdr;
        header = {};
        header.msg_iov = &formed_->bytes[count];
        header.msg_iovlen = 1;
        if (front.named) {
            header.msg_name = const_cast<sockaddr*>(front.to.data());
            header.msg_namelen = front.to.size();
        }
        if (run > 1) {
            header.msg_control = formed_->segments[count].control;
            header.msg_controllen = sizeof formed_->segments[count].control;
            cmsghdr& part = *CMSG_FIRSTHDR(&header);
            part.cmsg_level = SOL_UDP;
            part.cmsg_type = UDP_SEGMENT;
            const auto size = static_cast<std::uint16_t>(front.size);
            part.cmsg_len = CMSG_LEN(sizeof size);
            std::memcpy(CMSG_DATA(&part), &size, sizeof size);
        }
        first += run;
    }
    return {formed_->headers.data(), count};
}

void outgoing_batch::note_sent(std::size_t messages) noexcept {
    std::size_t datagrams = 0;
    for (std::size_t message = 0; message < messages; ++message) {
        datagrams += formed_->datagrams[message];
    }
    drop(datagrams);
}

// Segments that do not fit into the packets of the way are refused with EINVAL or EMSGSIZE, all of them with
// EIO where a device or IPsec cannot take them apart.
bool outgoing_batch::forms_otherwise(std::error_code why) noexcept {
    if (formed_->datagrams[0] < 2) {
        return false;
    }
    if (why == std::errc::io_error) {
        segments_below_ = 0;
        return true;
    }
    if (why == std::errc::invalid_argument || why == std::errc::message_size) {
        segments_below_ = std::min(segments_below_, items_[first_].size);
        return true;
    }
    return false;
}

namespace {

class send_messages : public detail::leaf_awaiter<send_messages, detail::batch_operation> {
public:
    send_messages(detail::socket_state& socket, std::span<mmsghdr> formed) noexcept
        : leaf_awaiter(detail::send_kind, operation_kind::send_datagrams, socket), formed_(formed) {}
    bool take_now() {
        messages = formed_.data();
        length = formed_.size();
        return begin();
    }
    leat::result<std::size_t> await_resume() const noexcept { return count(); }

private:
    std::span<mmsghdr> formed_;
};

}  // namespace

task<> udp_socket::send_batch(outgoing_batch& batch) {
    if (!batch.asked_ && is_open()) {
        int none = 0;
        const auto known = detail::current_sockets().option(native_handle(), SOL_UDP, UDP_SEGMENT,
                                                            std::as_writable_bytes(std::span(&none, 1)));
        batch.segments_below_ = known.ok() ? std::numeric_limits<std::uint16_t>::max() : 0;
        batch.asked_ = true;
    }
    while (!batch.empty()) {
        send_messages sending(state(), batch.form());
        const result<std::size_t> sent = co_await sending;
        if (sent.ok()) {
            batch.note_sent(*sent);
        } else if (!batch.forms_otherwise(sent.error())) {
            const outgoing_batch::item& first = batch.items_[batch.first_];
            const endpoint& to = first.named ? first.to : remote_endpoint();
            throw std::system_error(sent.error(), to.port() == 0 ? "send" : "send to " + to.to_string());
        }
    }
}

}  // namespace leat
