// SPDX-License-Identifier: MIT
#include <leat/core/socket.hpp>

#include <leat/core/idle_watch.hpp>
#include <leat/core/pushback.hpp>

#include <new>
#include <span>
#include <string>

namespace leat {

namespace detail {

static_assert(sizeof(void*) != 8 || sizeof(socket_state) <= 64);  // every idle connection has one

namespace {

bool is_at_home(const descriptor_owner& owner) noexcept {
    return this_thread.loop != nullptr && this_thread.loop->io().is_home_of(owner);
}

// Bytes that were taken from the kernel and that nobody has read: the peer of a TCP connection hears of it,
// as it does when they are still there.
void reset_on_close(int fd) noexcept {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (this_thread.loop != nullptr) {
        (void)this_thread.loop->io().sockets().set_option(fd, SOL_SOCKET, SO_LINGER,
                                                          std::as_bytes(std::span(&reset, 1)));
    } else {
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);  // not one of a simulation
    }
}

}  // namespace

void socket_state::destroy() noexcept {
    if (has_name) {
        delete static_cast<named_socket_state*>(this);
    } else {
        delete this;
    }
}

void socket_state::check_used_at_home() const noexcept {
    check(home == nullptr || is_at_home(*this), rule);
}

void socket_state::detach() {
    if (watched) [[unlikely]] {
        idle_watch::forget(*this);
    }
    if (home == nullptr) {
        return;
    }
    check(is_at_home(*this), rule);
    this_thread.loop->detach(*this);
}

void socket_state::close() noexcept {
    if (descriptor < 0) {
        return;
    }
    check_used_at_home();
    if (returned != nullptr) {
        reset_on_close(descriptor);
        returned.reset();
    }
    const int fd = std::exchange(descriptor, -1);
    if (this_thread.loop != nullptr) {
        this_thread.loop->io().retire(fd);
    } else {
        close_descriptor(fd);
    }
}

void socket_state::reset() noexcept {
    if (descriptor >= 0) {
        check_used_at_home();
        reset_on_close(descriptor);
        close();
    }
}

std::size_t socket_state::try_send(std::span<const std::byte> bytes) {
    if (descriptor < 0 || send_broken || bytes.empty()) {
        return 0;
    }
    check_used_at_home();
    return count_sent(current_scheduler().io().sockets().send(descriptor, bytes));
}

std::size_t socket_state::try_send_file(int file, std::uint64_t offset, std::size_t size) {
    if (descriptor < 0 || send_broken || file < 0 || size == 0 || offset > INT64_MAX - size) {
        return 0;
    }
    check_used_at_home();
    return count_sent(current_scheduler().io().sockets().send_file(descriptor, file, offset, size));
}

std::size_t socket_state::count_sent(const result<std::size_t>& sent) noexcept {
    if (!sent.ok()) {
        ended_by = sent.error() == std::errc::connection_reset ? ECONNRESET : ended_by;
        return 0;
    }
    bytes_sent += *sent;
    return *sent;
}

bool socket_state::is_quiet() const noexcept {
    return descriptor >= 0 && returned == nullptr && ended_by == 0 &&
           current_scheduler().io().is_quiet(descriptor);
}

bool socket_state::has_receiver() const noexcept {
    const operation* const reader = home != nullptr ? home->waiting_on(descriptor).reader : nullptr;
    return reader != nullptr && reader->action != operation_kind::readable;
}

chunk socket_state::take_returned() noexcept {
    chunk all = std::move(*returned);
    returned.reset();
    return all;
}

std::string socket_state::peer_name() const {
    if (has_name) {
        return static_cast<const named_socket_state*>(this)->name;
    }
    return remote == endpoint() ? "a peer without a name" : remote.to_string();
}

std::error_code socket_operation::error() const noexcept {
    if (result == is_closed) {
        return stream_errc::closed;
    }
    if (result == is_broken) {
        return stream_errc::broken;
    }
    if (result == -ECONNRESET) {
        owner->ended_by = ECONNRESET;
    }
    return errno_code(static_cast<int>(-result));
}

void socket_operation::fail(const char* what) const {
    throw std::system_error(error(), what + socket().peer_name());
}

}  // namespace detail

using detail::cancel_operation, detail::explain_operation;

constinit const wait_kind recv_awaiter::kind{
    "recv", cancel_operation, explain_operation, nullptr,
    [](wait& self) noexcept { return static_cast<recv_awaiter&>(self).take_now(); }};
constinit const wait_kind recv_exactly_awaiter::whole_kind{
    "recv", cancel_operation, explain_operation, give_up,
    [](wait& self) noexcept { return static_cast<recv_exactly_awaiter&>(self).begin_anew(); }};
constinit const wait_kind recv_chunk_awaiter::kind{
    "recv", cancel_operation, explain_operation, nullptr,
    [](wait& self) noexcept { return static_cast<recv_chunk_awaiter&>(self).take_now(); }};
constinit const wait_kind send_awaiter::kind{
    "send", cancel_operation, explain_operation, give_up,
    [](wait& self) noexcept { return static_cast<send_awaiter&>(self).take_now(); }};

bool recv_awaiter::take_returned() {
    detail::check_room(length);
    if (closed()) {
        return begin();
    }
    return end_with(static_cast<std::int64_t>(detail::take_returned(owner->returned, {buffer, length})));
}

bool recv_exactly_awaiter::take_now() {
    buffer = whole_.data();
    length = whole_.size();
    if (owner->returned == nullptr || closed()) [[likely]] {
        return length == 0 && !closed() ? end_with(0) : begin();
    }
    // Taken once the rest has been asked for: that may throw.
    before_ = detail::copy_returned(owner->returned, {whole_.data(), length});
    buffer += before_;
    length -= before_;
    const bool ready = length == 0 ? end_with(0) : begin();
    detail::drop_returned(owner->returned, before_);
    return ready;
}

// What was given back comes first; it has given back nothing since it was made.
void recv_exactly_awaiter::take_returned() noexcept {
    before_ += detail::take_returned(owner->returned, {whole_.data() + before_, whole_.size() - before_});
    buffer = whole_.data() + before_;
    length = whole_.size() - before_;
}

bool recv_exactly_awaiter::begin_anew() {
    take_returned();
    return length == 0 ? end_with(0) : begin();
}

void recv_exactly_awaiter::give_back(std::size_t arrived) {
    if (!closed()) {
        detail::give_back(owner->returned, {whole_.data(), arrived});
    }
}

bool recv_exactly_awaiter::give_up(wait& self) noexcept {
    auto& read = static_cast<recv_exactly_awaiter&>(self);
    try {
        read.give_back(read.before_ + static_cast<std::size_t>(read.transferred));
        return true;
    } catch (const std::bad_alloc&) {
        read.operation::result = -ENOMEM;
        return false;
    }
}

leat::result<void> recv_exactly_awaiter::take() noexcept {
    end_by_reset(operation::result >= 0 && static_cast<std::size_t>(operation::result) < length);
    if (operation::result < 0) {
        return error();
    }
    return static_cast<std::size_t>(operation::result) == length
               ? leat::result<void>()
               : leat::result<void>(stream_errc::end_of_stream);
}

void recv_exactly_awaiter::await_resume() {
    end_by_reset(operation::result >= 0 && static_cast<std::size_t>(operation::result) < length);
    const bool failed = operation::result < 0;
    if (!failed && static_cast<std::size_t>(operation::result) == length) [[likely]] {
        return;
    }
    const std::size_t arrived = before_ + static_cast<std::size_t>(transferred);
    if (failed && arrived == 0) {
        fail("recv from ");
    }
    fail_short(failed ? error() : stream_errc::end_of_stream, arrived);
}

void recv_exactly_awaiter::fail_short(std::error_code why, std::size_t arrived) {
    try {
        throw detail::cut_short(why, "recv from " + socket().peer_name(), arrived, whole_.size());
    } catch (const std::bad_alloc&) {  // nobody hears how much has arrived
        try {
            give_back(arrived);
        } catch (const std::bad_alloc&) {
            socket().close();
        }
        throw;
    }
}

bool send_awaiter::end_early() noexcept {
    if (closed()) {
        return end_with(is_closed);
    }
    return end_with(socket().send_broken ? is_broken : 0);
}

// Cancelled midway: what is sent after it would stand behind a gap.
bool send_awaiter::give_up(wait& self) noexcept {
    auto& cut_off = static_cast<send_awaiter&>(self);
    cut_off.account();
    cut_off.transferred = 0;
    return true;
}

leat::result<void> send_all_awaiter::take() const noexcept {
    return operation::result >= 0 ? leat::result<void>() : leat::result<void>(error());
}

}  // namespace leat
