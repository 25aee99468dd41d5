// SPDX-License-Identifier: MIT
// buffered_reader: reads a byte stream by lines, up to a delimiter, by exact numbers of bytes and by
// messages. It owns its stream, or refers to one: buffered_reader<tcp_stream&>.
//
//   leat::buffered_reader reader(peer);  // of a variable: refers to it. Of std::move(peer): owns it
//   while (const auto line = co_await reader.line()) {
//       co_await peer.send_all(*line, "\n");
//   }
//
// What it gives is a view, valid until the next operation on the reader. What has been received already costs
// neither a frame nor an allocation. While it waits without a byte it has no buffer; otherwise memory grows
// as bytes come, and never with what a peer only says. A byte is not searched again however the bytes come.
//
// Cancelled: nothing was taken, the next operation sees every byte. The same after an error, but for one of
// recv_exactly, so that the next operation fails in the same way; one with a larger limit goes on. It is a
// receive_stream itself: what follows a header is received from the reader, which has perhaps received some
// of it. It outlives its operations; two tasks that read at once are misuse. A view ends also when the reader
// is moved, or when bytes are put into it or taken out (unread, take_held, give_back, detach).
#pragma once

#include <leat/clock.hpp>
#include <leat/core/detachable.hpp>
#include <leat/core/one_user.hpp>
#include <leat/framing/core/buffered_awaiter.hpp>
#include <leat/framing/core/held_bytes.hpp>
#include <leat/framing/message_format.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>
#include <leat/timeout.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

template <typename Stream>
class buffered_reader : public detail::at_home_in_run {
    using stream_type = std::remove_reference_t<Stream>;
    static_assert(receive_stream<stream_type>, "a buffered_reader reads from a stream");

    struct part_asked;
    struct exact_asked;
    struct some_asked;
    struct whole_asked;
    struct chunk_asked;
    template <typename Asked>
    using awaiter = detail::buffered_awaiter<buffered_reader, Asked>;

public:
    // Takes the stream over, or refers to it; then the stream outlives the reader.
    // (No other type is converted to one: an any_stream would ask whether this reader is a stream.)
    template <std::same_as<Stream> Given>
    explicit buffered_reader(Given&& of) noexcept : stream_(std::forward<Given>(of)) {}
    buffered_reader(buffered_reader&& other) noexcept
        : stream_(std::move(other.idle().stream_)),
          held_(std::move(other.held_)),
          idle_(other.idle_),
          ended_(other.ended_),
          closed_(other.closed_) {}
    buffered_reader& operator=(buffered_reader&& other) noexcept {
        idle().stream_ = std::move(other.idle().stream_);
        held_ = std::move(other.held_);
        idle_ = other.idle_;
        ended_ = other.ended_;
        closed_ = other.closed_;
        return *this;
    }
    ~buffered_reader() { idle(); }

    // co_await gives std::optional<std::string_view>: the next line without its "\n" or "\r\n", or nothing at
    // the end of the stream. A line of more than `limit` bytes throws framing_errc::too_long. Bytes behind
    // the last newline are the last line; with last_line::must_end they throw stream_errc::end_of_stream.
    auto line(std::size_t limit = framing_limit, last_line last = last_line::may_be_open) noexcept {
        return part_of(detail::wanted_line(limit, last == last_line::may_be_open));
    }
    // co_await gives std::optional<std::string_view>: what stands before the next `delimiter`, which may have
    // any length but 0 and stays alive, or nothing at the end of the stream. More than `limit` bytes before
    // it throw framing_errc::too_long, an end in between stream_errc::end_of_stream.
    auto until(std::string_view delimiter, std::size_t limit = framing_limit) noexcept {
        return part_of(detail::wanted_until(delimiter, limit));
    }
    // co_await gives std::string_view: the next `count` bytes. Fewer before the end of the stream throw
    // stream_errc::end_of_stream.
    auto exactly(std::size_t count) noexcept {
        return awaiter<exact_asked>(*this, {{{.is = detail::wanted::what::exactly, .size = count}}});
    }
    // co_await gives std::optional<std::string_view>: the next message of this format, which stays alive, or
    // nothing at the end of the stream. One that the format does not allow throws a framing_errc, an end
    // inside of one stream_errc::end_of_stream.
    auto message(const message_format& format) noexcept { return part_of(wanted_message(format)); }

    // For how long nothing may come while one of those four waits: then it throws timed_out, and has taken
    // nothing. A peer that sends a little again and again is read however slow it is. duration::max() is no
    // limit, as at first. (timeout() around an operation limits all of it instead.)
    void set_idle(duration limit) noexcept { idle_ = limit; }

    // As those of every stream: the bytes that the reader holds come first.
    auto recv(byte_buffer into) noexcept {
        detail::check_room(into.size());
        return awaiter<some_asked>(*this, {into});
    }
    auto recv_exactly(byte_buffer into) noexcept { return awaiter<whole_asked>(*this, {into}); }
    auto recv_chunk() noexcept { return awaiter<chunk_asked>(*this, {}); }
    // Closes the stream; the bytes that the reader holds are gone. A view that it has given lives on.
    void close() noexcept {
        held_.drop(held_.size());  // and freed later: somebody may send from a view of them, or is about to
        ended_ = false;
        closed_ = true;
        stream().close();
    }

    // The stream, for sending, options and deadlines of its own; who receives from it passes by what the
    // reader holds.
    [[nodiscard]] stream_type& stream() noexcept { return stream_; }
    // How many bytes have been received and not been read.
    [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
    // Whether a message of this format, or what is none, is among them.
    [[nodiscard]] bool has_message(const message_format& format) const noexcept {
        return held_.in_one() && held_.look(wanted_message(format)).is != detail::part::state::missing;
    }
    // Whether an operation would have to wait for the peer, as far as the stream can tell.
    [[nodiscard]] bool is_quiet() noexcept
        requires requires(stream_type& of) { of.is_quiet(); }
    {
        return held_.empty() && !ended_ && stream().is_quiet();
    }

    // Puts bytes before the next that are read. Throws std::bad_alloc, or stream_errc::closed; then nothing
    // has changed, `bytes` neither. Misuse while a task reads; one that waits behind a cancelled one sees
    // them.
    void unread(chunk&& bytes) {
        detail::check_no_receiver(user_.has_begun());
        if (closed_) {
            throw std::system_error(stream_errc::closed, "unread");
        }
        held_.put_back(std::move(bytes));
    }
    // Takes out what the reader holds; empty when there is no more. Throws std::bad_alloc.
    [[nodiscard]] chunk take_held() { return idle().held_.take_chunk(); }
    // Gives what the reader holds back to the stream, whose next reader sees it. Throws std::bad_alloc, also
    // for 4 GiB and more, and the reader still holds it.
    void give_back()
        requires pushback_stream<stream_type>
    {
        chunk all = idle().held_.take_all();
        try {
            stream().unread(std::move(all));
        } catch (...) {
            held_.add(std::move(all));
            throw;
        }
        ended_ = false;  // the stream tells again, behind those bytes
    }
    // Detaches the stream from its run, with what the reader holds. No task waits on it. Throws
    // std::bad_alloc.
    void detach()
        requires requires(stream_type& of) { of.detach(); }
    {
        idle().held_.make_place();
        stream().detach();
    }

private:
    template <typename Reader, typename Asked>
    friend class detail::buffered_awaiter;

    static detail::wanted wanted_message(const message_format& format) noexcept {
        return {.is = detail::wanted::what::message,
                .size = format.longest(),
                .delimiter = format.terminator(),
                .format = &format};
    }
    awaiter<part_asked> part_of(detail::wanted asked) noexcept { return {*this, {asked}}; }
    [[nodiscard]] bool has_turn() const noexcept { return !user_.in_use() && held_.in_one(); }
    buffered_reader& idle() noexcept {
        check(!user_.in_use(), "a buffered_reader stays where it is while a task reads");
        return *this;
    }
    auto its_turn() noexcept {
        return detail::one_user::turn(user_, "two tasks read from one buffered_reader at once");
    }

    // Receives until `asked` is there, which stays where it is.
    task<detail::part> fetch(detail::wanted asked) {
        co_await its_turn();
        const detail::one_user::use reading(user_);
        for (;;) {
            const detail::part found = held_.find(asked, ended_);
            if (found.is != detail::part::state::missing) {
                co_return found;
            }
            chunk more;
            if (idle_ == duration::max()) {
                more = co_await stream().recv_chunk();
            } else {
                more = co_await recv_chunk_in_time();
            }
            if (!closed_) {  // in the turn in which this has come
                ended_ = more.empty();
                held_.add(std::move(more));
            }
        }
    }
    task<chunk> recv_chunk_in_time() {
        auto received = co_await move_on_after(idle_, stream().recv_chunk());
        if (!received.has_value()) {
            detail::fail_idle(idle_);
        }
        co_return std::move(*received);
    }
    task<std::size_t> recv_later(byte_buffer into) {
        co_await its_turn();
        const detail::one_user::use reading(user_);
        held_.join();
        if (!held_.empty()) {
            co_return take_some(into);
        }
        if (ended_) {
            co_return 0;
        }
        held_.make_place();
        const std::size_t count = co_await stream().recv(into);
        ended_ = count == 0 && !closed_;
        co_return count;
    }
    task<> recv_exactly_later(byte_buffer into) {
        co_await its_turn();
        const detail::one_user::use reading(user_);
        held_.join();
        const std::size_t count = held_.copy_to(into);
        if (ended_ && count < into.size()) {
            const detail::cut_short cut(stream_errc::end_of_stream, "recv of bytes", count, into.size());
            held_.drop(count);  // that is in the buffer
            throw cut;
        }
        try {
            co_await stream().recv_exactly(std::span<std::byte>(into).subspan(count));
        } catch (const std::bad_alloc&) {  // the stream has taken nothing
            throw;
        } catch (const detail::cut_short& cut) {
            held_.drop(count);
            cut.rethrow_behind(count);
        } catch (...) {
            held_.drop(count);
            throw;
        }
        held_.drop(count);
    }
    task<chunk> recv_chunk_later() {
        co_await its_turn();
        const detail::one_user::use reading(user_);
        if (!held_.empty()) {
            co_return held_.take_chunk();
        }
        if (ended_) {
            co_return chunk();
        }
        held_.make_place();
        chunk received = co_await stream().recv_chunk();
        ended_ = received.empty() && !closed_;
        co_return received;
    }
    std::size_t take_some(byte_buffer into) noexcept {
        const std::size_t count = held_.copy_to(into);
        held_.drop(count);
        return count;
    }

    // A reference that can be assigned, so that the reader is movable as a stream is.
    std::conditional_t<std::is_reference_v<Stream>, std::reference_wrapper<stream_type>, Stream> stream_;
    detail::held_bytes held_;
    detail::one_user user_;
    duration idle_ = duration::max();
    bool ended_ = false;
    bool closed_ = false;
};

template <typename Stream>
struct buffered_reader<Stream>::part_asked {
    bool take_now(buffered_reader& reader) noexcept {
        const detail::part found = reader.held_.look(asked);
        const bool there = found.is == detail::part::state::there;
        if (there) {
            given = reader.held_.take(found);
        }
        return there;
    }
    task<detail::part> take_later(buffered_reader& reader) { return reader.fetch(asked); }
    std::optional<std::string_view> result(buffered_reader& /*reader*/) const noexcept { return given; }
    std::optional<std::string_view> result(buffered_reader& reader,
                                           const detail::part& found) const noexcept {
        return found.is == detail::part::state::ended ? given : reader.held_.take(found);
    }

    detail::wanted asked;
    std::optional<std::string_view> given = std::nullopt;
};

template <typename Stream>
struct buffered_reader<Stream>::exact_asked : part_asked {
    std::string_view result(buffered_reader& reader, const auto&... found) const noexcept {
        return *part_asked::result(reader, found...);
    }
};

template <typename Stream>
struct buffered_reader<Stream>::some_asked {
    bool take_now(buffered_reader& reader) noexcept {
        count = reader.take_some(into);
        return count > 0;
    }
    task<std::size_t> take_later(buffered_reader& reader) { return reader.recv_later(into); }
    std::size_t result(buffered_reader& /*reader*/) const noexcept { return count; }
    std::size_t result(buffered_reader& /*reader*/, std::size_t received) const noexcept { return received; }

    byte_buffer into;
    std::size_t count = 0;
};

template <typename Stream>
struct buffered_reader<Stream>::whole_asked {
    bool take_now(buffered_reader& reader) noexcept {
        const bool there = reader.held_.size() >= into.size();
        if (there) {
            reader.take_some(into);
        }
        return there;
    }
    task<> take_later(buffered_reader& reader) { return reader.recv_exactly_later(into); }
    void result(buffered_reader& /*reader*/) const noexcept {}

    byte_buffer into;
};

template <typename Stream>
struct buffered_reader<Stream>::chunk_asked {
    bool take_now(buffered_reader& reader) noexcept {
        given = reader.held_.take_piece();
        return !given.empty();
    }
    task<chunk> take_later(buffered_reader& reader) { return reader.recv_chunk_later(); }
    chunk result(buffered_reader& /*reader*/) noexcept { return std::move(given); }
    chunk result(buffered_reader& /*reader*/, chunk received) noexcept { return received; }

    chunk given = {};
};

template <typename Stream>
buffered_reader(Stream&&) -> buffered_reader<Stream>;

}  // namespace leat
