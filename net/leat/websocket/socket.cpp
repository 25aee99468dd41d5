// SPDX-License-Identifier: MIT
#include <leat/websocket/socket.hpp>

#include <leat/check.hpp>
#include <leat/core/utf8.hpp>
#include <leat/io.hpp>
#include <leat/result.hpp>
#include <leat/stoppable.hpp>
#include <leat/timeout.hpp>

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace leat::websocket {
namespace {

constexpr std::size_t kept_max = 64 * 1024;  // of a buffer that has grown

[[noreturn]] void fail(std::error_code why) {
    throw std::system_error(why);
}

bool may_be_sent(close_code code) noexcept {
    const auto number = static_cast<std::uint16_t>(code);
    const bool registered =
        number >= 1000 && number <= 1014 && number != 1004 && number != 1005 && number != 1006;
    return registered || (number >= 3000 && number <= 4999);
}

}  // namespace

// One task receives. The one that closes does so itself if nobody else does.
struct socket::receiving_turn {
    explicit receiving_turn(socket& of, bool closes = false) noexcept : self(of) {
        check(!self.receiving_, "two tasks receive from one WebSocket at once");
        self.receiving_ = true;
        self.close_receives_ = closes;
    }
    receiving_turn(const receiving_turn&) = delete;
    receiving_turn& operator=(const receiving_turn&) = delete;
    ~receiving_turn() {
        self.receiving_ = self.close_receives_ = false;
        self.progress_.set();  // who waits for the end looks again
        self.progress_.reset();
    }
    socket& self;
};

socket::socket(any_stream stream, role as, const socket_options& options)
    : socket(std::move(stream), as, options, agreement{}) {}

socket::socket(any_stream stream, role as, const socket_options& options, agreement agreed)
    : agreed_(std::move(agreed)),
      stream_(std::move(stream)),
      session_(as, options.message_bytes, agreed_.deflate),
      options_(options) {}

socket::socket(connected made)
    : socket(std::move(made.stream), role::client, made.options, std::move(made.agreed)) {}

// Pongs and closes leave before the message is given: the caller may take its time.
task<std::optional<message>> socket::receive() {
    while (close_receives_) {
        co_await progress_.wait();
    }
    const receiving_turn turn(*this);
    for (;;) {
        result<void> answered;
        if (holds_back()) {
            answered = co_await as_result(flush_unless_sending());
        }
        if (const message* ready = session_.take_message()) {
            co_return *ready;
        }
        if (const std::error_code failure = session_.failure()) {
            fail(failure);
        }
        if (ended_ || !session_.receives()) {
            co_return std::nullopt;
        }
        if (!input_.empty()) {
            take_input();
            continue;
        }
        answered.value();  // only now: who takes no answer may have said more before it left
        co_await receive_more();
    }
}

// Bytes, or an end. A silent peer is asked; a server that stops closes.
task<> socket::receive_more() {
    if (session_.has_closed()) {
        const bool answered = co_await move_on_at(answer_by_, receive_bytes());
        ended_ |= !answered;
        co_return;
    }
    const auto heard = co_await move_on_after(options_.ping_every, until_stop(receive_bytes()));
    if (heard.has_value()) {
        if (!*heard) {
            begin_close(close_code::going_away, {});
        }
        co_return;
    }
    session_.ping();
    const auto answered = co_await move_on_after(options_.ping_limit, until_stop([this]() -> task<> {
                                                     co_await flush_unless_sending();
                                                     co_await receive_bytes();
                                                 }));
    if (!answered.has_value()) {
        throw std::system_error(std::make_error_code(std::errc::timed_out), "a silent WebSocket peer");
    }
    if (!*answered) {
        begin_close(close_code::going_away, {});
    }
}

// Unless there are some.
task<> socket::receive_bytes() {
    try {
        if (input_.empty()) {
            input_ = co_await stream_.recv_chunk();
        }
    } catch (const std::system_error&) {
        if (ended_) {
            co_return;  // close() has given the peer up
        }
        throw;
    }
    if (input_.empty()) {
        ended_ = true;
        if (!session_.has_closed()) {
            fail(error::truncated);
        }
        co_return;
    }
    take_input();
}

void socket::take_input() {
    std::string_view rest = input_.text();
    std::exception_ptr failure;
    try {
        session_.receive(rest);
    } catch (const std::bad_alloc&) {
        failure = std::current_exception();  // what was taken is taken all the same
    }
    input_.remove_prefix(input_.size() - rest.size());
    if (input_.empty()) {
        input_.reset();  // an idle connection owns no buffer
    }
    progress_.set();
    progress_.reset();
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
}

task<> socket::send(std::string_view text) {
    if (!leat::detail::is_utf8(text)) {
        throw std::invalid_argument("a text that is sent over a WebSocket is UTF-8");
    }
    return send_as(kind::text, text);
}

task<> socket::send(std::span<const std::byte> data) {
    return send_as(kind::binary, {reinterpret_cast<const char*>(data.data()), data.size()});
}

task<> socket::send(message whole) {
    return whole.kind == kind::text ? send(whole.data) : send_as(kind::binary, whole.data);
}

task<> socket::send_as(kind of, std::string_view data) {
    const mutex_guard turn = co_await sending_.lock();
    if (holds_back() && !session_.has_closed()) {
        co_await send_out();  // or each send that is cancelled would leave a message behind
    }
    if (session_.has_closed()) {
        fail(error::closed);
    }
    session_.send(of, data);
    co_await send_out();
}

task<> socket::flush() {
    const mutex_guard turn = co_await sending_.lock();
    co_await send_out();
}

// A task that sends takes along what is added meanwhile. Waiting for it might be waiting for the peer, which
// may be waiting until this side receives.
task<> socket::flush_unless_sending() {
    if (const auto turn = sending_.try_lock()) {
        co_await send_out();
    } else if (session_.out().size() > kept_max) {
        co_await flush();  // a peer that pings on and on, and takes no answer
    }
}

// While sending_ is locked. By pieces: after each it is known how much has left, so a cancelled one breaks
// nothing.
task<> socket::send_out() {
    while (left_ < leaving_.size() || !session_.out().empty()) {
        if (left_ == leaving_.size()) {
            leaving_.clear();
            left_ = 0;
            leaving_.swap(session_.out());
        }
        left_ += co_await stream_.send(std::string_view(leaving_).substr(left_));
    }
    leaving_.clear();
    left_ = 0;
    if (leaving_.capacity() > kept_max) {
        std::string().swap(leaving_);
    }
}

task<> socket::ping() {
    const std::uint64_t before = session_.pongs();
    if (session_.has_closed()) {
        fail(error::closed);
    }
    session_.ping();
    co_await flush();
    while (session_.pongs() == before) {
        if (ended_ || !session_.receives()) {
            fail(error::closed);
        }
        co_await progress_.wait();
    }
}

task<> socket::close(close_code code, std::string_view reason) {
    if (!may_be_sent(code)) {
        throw std::invalid_argument("a WebSocket is not closed with code " +
                                    std::to_string(static_cast<std::uint16_t>(code)));
    }
    if (reason.size() > 123 || !leat::detail::is_utf8(reason)) {
        throw std::invalid_argument("the reason of a WebSocket close is at most 123 bytes of UTF-8");
    }
    begin_close(code, reason);
    try {
        if (co_await move_on_at(answer_by_, close_by_both())) {
            co_return;
        }
        ended_ = true;
        stream_.close();
    } catch (const std::system_error&) {  // the peer is gone, or breaks the protocol
    }
}

// Unless a close has begun. It leaves with what is sent next.
void socket::begin_close(close_code code, std::string_view reason) {
    if (!session_.has_closed()) {
        session_.close(code, reason);
    }
    if (answer_by_ == never) {
        answer_by_ = after(now(), options_.close_limit);
    }
}

task<> socket::close_by_both() {
    co_await flush();
    while (!ended_ && session_.receives()) {
        if (receiving_) {
            co_await progress_.wait();
            continue;
        }
        const receiving_turn turn(*this, /*closes=*/true);
        co_await receive_bytes();
        session_.drop_message();
    }
    co_await flush();
}

}  // namespace leat::websocket
