// SPDX-License-Identifier: MIT
#include <leat/testing/scripted_stream.hpp>

#include <leat/core/one_user.hpp>
#include <leat/sleep.hpp>
#include <leat/sync/event.hpp>
#include <leat/testing/core/received_part.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>

namespace leat::testing {

namespace {

enum class act { expect, expect_any, expect_rest, answer, wait, fail, end };

struct step {
    act what;
    std::string text = {};
    duration length = {};
    std::errc error = {};
    std::size_t count = 0;  // of bytes that come, whatever they are
};

// As it would stand in a program; of what is long the beginning.
std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 200;
    constexpr std::string_view digits = "0123456789abcdef";
    std::string shown = "\"";
    for (const char each : text.substr(0, longest)) {
        const auto code = static_cast<unsigned char>(each);
        if (each == '\r') {
            shown += "\\r";
        } else if (each == '\n') {
            shown += "\\n";
        } else if (code < 0x20 || code >= 0x7f) {
            shown += std::string("\\x") + digits[code / 16] + digits[code % 16];
        } else {
            shown += each;
        }
    }
    return shown + "\"" + (text.size() > longest ? "..." : "");
}

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct detail::script {
    [[nodiscard]] bool has(act what) const noexcept {
        return std::any_of(steps.begin(), steps.end(), [=](const step& each) { return each.what == what; });
    }
    void add_expected(step next) {
        check(!has(act::expect_rest), "a peer expects nothing after all the rest");
        steps.push_back(std::move(next));
    }
    // Passes the steps that take no time and concern nobody.
    void settle() {
        while (is_next(act::end) || (shut && is_next(act::expect_rest))) {
            ended = ended || is_next(act::end);
            next();
        }
    }
    void next() {
        steps.pop_front();
        waits_until.reset();
        changed.set();
        changed.reset();
    }
    [[nodiscard]] bool is_next(act what) const noexcept {
        return !steps.empty() && steps.front().what == what;
    }
    // When the wait that is next is over; it begins when somebody comes to it.
    time_point end_of_wait() {
        if (!waits_until) {
            waits_until = after(now(), steps.front().length);
        }
        return *waits_until;
    }
    void throw_if_failing() {
        if (is_next(act::fail)) {
            const std::error_code code = std::make_error_code(steps.front().error);
            next();
            throw std::system_error(code, "the script");
        }
    }
    [[noreturn]] void throw_mismatch(std::string_view came) {
        mismatch = is_next(act::expect)
                       ? "expected " + in_quotes(steps.front().text) + ", but " + in_quotes(came)
                       : "expected nothing more, but " + in_quotes(came);
        mismatch += " came";
        throw script_mismatch(mismatch);
    }
    [[nodiscard]] bool is_expecting() const noexcept {
        return is_next(act::expect) || is_next(act::expect_any) || is_next(act::expect_rest);
    }
    // Takes what is sent, or a part of it; `from` is not empty, and the peer is expecting.
    std::size_t accept(std::string_view from) {
        if (is_next(act::expect_rest)) {
            return from.size();
        }
        return is_next(act::expect_any) ? accept_any(from.size()) : accept_text(from);
    }
    std::size_t accept_any(std::size_t size) {
        std::size_t& missing = steps.front().count;
        const std::size_t count = std::min(size, missing);
        missing -= count;
        if (missing == 0) {
            next();
        }
        return count;
    }
    std::size_t accept_text(std::string_view from) {
        std::string& expected = steps.front().text;
        const std::size_t count = std::min(from.size(), expected.size());
        if (from.substr(0, count) != std::string_view(expected).substr(0, count)) {
            throw_mismatch(from);
        }
        expected.erase(0, count);
        if (expected.empty()) {
            next();
        }
        return count;
    }
    std::size_t give(std::span<std::byte> into) {
        std::string& text = returned.bytes.empty() ? steps.front().text : returned.bytes;
        const std::size_t count = std::min(into.size(), text.size());
        std::memcpy(into.data(), text.data(), count);
        text.erase(0, count);
        if (is_next(act::answer) && steps.front().text.empty()) {
            next();
        }
        return count;
    }
    void check_open(const char* what) const {
        if (!mismatch.empty()) {
            throw script_mismatch(mismatch);
        }
        if (closed) {
            throw std::system_error(stream_errc::closed, what);
        }
    }

    std::deque<step> steps;
    std::optional<time_point> waits_until;
    given_back returned;
    leat::detail::one_user receiver;
    std::string mismatch;
    bool ended = false;  // the peer sends no more
    bool shut = false;   // nor do we
    bool closed = false;
    event changed;
};

namespace {

using detail::script;
using leat::detail::one_user;
using shared_script = std::shared_ptr<script>;

// Waits for the script to go on, or, where it is next, for the end of a wait.
task<> wait_for_change(shared_script played) {
    if (played->is_next(act::wait)) {
        const bool other = co_await move_on_at(played->end_of_wait(), played->changed.wait());
        if (!other && played->is_next(act::wait) && played->end_of_wait() <= now()) {
            played->next();
        }
    } else {
        co_await played->changed.wait();
    }
    if (played->closed) {
        throw std::system_error(std::make_error_code(std::errc::operation_canceled), "the script");
    }
}

// Returns how many bytes there are to receive; 0 at the end.
task<std::size_t> wait_readable(shared_script played) {
    co_await one_user::turn(played->receiver, "two tasks receive from one stream at once");
    const one_user::use receiving(played->receiver);
    for (;;) {
        played->check_open("recv");
        played->settle();
        if (played->returned.lost) {
            detail::fail_as_lost();
        }
        if (!played->returned.bytes.empty()) {
            co_return played->returned.bytes.size();
        }
        if (played->ended) {
            co_return 0;
        }
        if (played->is_next(act::answer)) {
            co_return played->steps.front().text.size();
        }
        played->throw_if_failing();
        co_await wait_for_change(played);
    }
}

task<std::size_t> receive(shared_script played, byte_buffer into) {
    const std::size_t ready = co_await wait_readable(played);
    if (ready == 0) {
        co_return 0;
    }
    co_return played->give(into);
}

task<> receive_exactly(shared_script played, byte_buffer into) {
    if (into.size() == 0) {
        played->check_open("recv");
    }
    co_await detail::receive_whole(played->returned, into,
                                   [&](byte_buffer rest) { return receive(played, rest); });
}

task<chunk> receive_chunk(shared_script played) {
    const std::size_t size = co_await wait_readable(played);
    if (size == 0) {
        co_return chunk();
    }
    chunk received(heap_buffers, new std::byte[size], 0, static_cast<std::uint32_t>(size));
    (void)played->give({const_cast<std::byte*>(received.data()), size});
    co_return received;
}

task<std::size_t> put(shared_script played, std::span<const std::byte> from) {
    co_await checkpoint();
    for (;;) {
        played->check_open("send");
        if (played->shut) {
            throw std::system_error(std::make_error_code(std::errc::broken_pipe), "send");
        }
        if (from.empty()) {
            co_return 0;
        }
        played->settle();
        played->throw_if_failing();
        if (played->steps.empty()) {
            played->throw_mismatch(text_of(from));
        }
        if (played->is_expecting()) {
            co_return played->accept(text_of(from));
        }
        co_await wait_for_change(played);
    }
}

std::string in_words(const step& next) {
    switch (next.what) {
        case act::expect:
            return "expected " + in_quotes(next.text) + ", but nothing came";
        case act::expect_any:
            return "expected any " + std::to_string(next.count) + " bytes more, but nothing came";
        case act::answer:
            return "answered " + in_quotes(next.text) + ", and nobody received it";
        case act::fail:
            return "failed with \"" + std::make_error_code(next.error).message() + "\", and nobody saw it";
        case act::expect_rest:
        case act::wait:
        case act::end:
            break;
    }
    return "";
}

}  // namespace

std::string script_verdict::text() const {
    if (!script_->mismatch.empty()) {
        return script_->mismatch;
    }
    for (const step& each : script_->steps) {
        if (std::string left = in_words(each); !left.empty()) {
            return left;
        }
    }
    return "";
}

scripted_stream::scripted_stream() : script_(std::make_shared<detail::script>()) {}

scripted_stream& scripted_stream::expect(std::string_view text) {
    check(!text.empty(), "a peer expects at least one byte");
    script_->add_expected({.what = act::expect, .text = std::string(text)});
    return *this;
}

scripted_stream& scripted_stream::expect_line(std::string_view text) {
    script_->add_expected({.what = act::expect, .text = std::string(text) + "\r\n"});
    return *this;
}

scripted_stream& scripted_stream::expect_any(std::size_t count) {
    check(count > 0, "a peer expects at least one byte");
    script_->add_expected({.what = act::expect_any, .count = count});
    return *this;
}

scripted_stream& scripted_stream::expect_any() {
    script_->add_expected({.what = act::expect_rest});
    return *this;
}

scripted_stream& scripted_stream::answer(std::string_view text) {
    check(!text.empty(), "a peer answers at least one byte");
    check(!script_->has(act::end), "a peer does not answer after its end");
    script_->steps.push_back({.what = act::answer, .text = std::string(text)});
    return *this;
}

scripted_stream& scripted_stream::wait(duration length) {
    script_->steps.push_back({.what = act::wait, .length = length});
    return *this;
}

scripted_stream& scripted_stream::fail(std::errc error) {
    script_->steps.push_back({.what = act::fail, .error = error});
    return *this;
}

scripted_stream& scripted_stream::end() {
    script_->steps.push_back({.what = act::end});
    return *this;
}

task<std::size_t> scripted_stream::recv(byte_buffer into) {
    leat::detail::check_room(into.size());
    return receive(script_, into);
}

task<> scripted_stream::recv_exactly(byte_buffer into) {
    return receive_exactly(script_, into);
}

task<chunk> scripted_stream::recv_chunk() {
    return receive_chunk(script_);
}

void scripted_stream::unread(chunk&& bytes) {
    script_->check_open("unread");
    leat::detail::check_no_receiver(script_->receiver.has_begun());
    script_->returned.bytes.insert(0, bytes.text());
    bytes.reset();
}

task<std::size_t> scripted_stream::send(byte_view from) {
    return put(script_, from);
}

task<> scripted_stream::send_pieces(std::array<std::span<const std::byte>, 4> pieces) {
    const shared_script played = script_;
    for (std::span<const std::byte> rest : pieces) {
        while (!rest.empty()) {
            const std::size_t count = co_await put(played, rest);
            rest = rest.subspan(count);
        }
    }
}

void scripted_stream::shutdown_send() {
    script_->check_open("shutdown_send");
    script_->shut = true;
    script_->settle();
}

void scripted_stream::close() noexcept {
    script_->closed = true;
    script_->changed.set();
    script_->changed.reset();
}

}  // namespace leat::testing
