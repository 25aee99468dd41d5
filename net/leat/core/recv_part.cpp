// SPDX-License-Identifier: MIT
// The lines and parts that a socket gives. What is the caller's and what the next read sees is decided when
// bytes come, before any task runs. So no task that is cancelled holds bytes of the socket while another one
// begins to receive: it would receive what came behind them, or wait for what is there.
#include <leat/core/pushback.hpp>
#include <leat/core/socket_stream.hpp>
#include <leat/framing/core/held_bytes.hpp>

#include <exception>
#include <new>

namespace leat::detail {

namespace {

// co_await gives whether `asked`, or the end of the stream before it, has come; `text` is what stands there.
// Cancelled: what had come is given back. False: the same, when more had come before it was heard.
class [[nodiscard]] recv_part_awaiter : public socket_awaiter<recv_part_awaiter> {
public:
    recv_part_awaiter(socket_state& from, const wanted& asked, std::optional<std::string>& text) noexcept
        : leaf_awaiter(part_kind, operation_kind::recv_chunk, from), asked_(asked), text_(text) {
        operation::result = nothing_yet;
    }
    // Called when it is awaited, when a cancelled one before it has ended, and when something has come.
    bool take_now() noexcept;
    bool await_resume() const {
        if (error_ != nullptr) {
            std::rethrow_exception(error_);
        }
        return decided_;
    }

private:
    static constexpr std::int64_t nothing_yet = INT64_MIN;
    static const wait_kind part_kind;

    bool receive();
    bool is_over();
    void give_back_rest() noexcept;
    static bool give_up(wait& self) noexcept {
        static_cast<recv_part_awaiter&>(self).give_back_rest();
        return true;
    }

    const wanted& asked_;
    std::optional<std::string>& text_;
    held_bytes held_;
    std::exception_ptr error_;
    bool decided_ = false;
};

constinit const wait_kind recv_part_awaiter::part_kind{
    "recv", cancel_operation, explain_operation, give_up,
    [](wait& self) noexcept { return static_cast<recv_part_awaiter&>(self).take_now(); }};

bool recv_part_awaiter::take_now() noexcept {
    try {
        do {
            if (operation::result == nothing_yet && !receive()) {
                return false;
            }
        } while (!is_over());
    } catch (...) {
        error_ = std::current_exception();
    }
    give_back_rest();
    return true;
}

// True: something has come.
bool recv_part_awaiter::receive() {
    if (owner->returned != nullptr && !closed()) {
        held_.add(socket().take_returned());
        return end_with(static_cast<std::int64_t>(held_.size()));
    }
    phase = 0;
    its_turn = true;  // the loop comes here when it has completed
    return begin();
}

// Looks at what has come. Throws what the operation failed with, what the part is refused for, and
// std::bad_alloc.
bool recv_part_awaiter::is_over() {
    check_received();
    const bool ended = operation::result == 0;
    if (pool != nullptr) {
        held_.add(received());
    }
    operation::result = nothing_yet;
    const part found = held_.find(asked_, ended);
    if (found.is == part::state::missing) {
        return cancel_requested;
    }
    if (found.is == part::state::there) {
        text_.emplace(held_.text().substr(found.begin, found.size));
        held_.drop(found.whole);
    }
    decided_ = true;
    return true;
}

void recv_part_awaiter::give_back_rest() noexcept {
    try {
        if (!closed()) {
            give_back(owner->returned, held_.take_all());
        }
    } catch (const std::bad_alloc&) {
        socket().close();  // it would go on behind a gap
    }
    held_.clear();
}

}  // namespace

task<std::optional<std::string>> socket_stream::recv_part(wanted asked) {
    std::optional<std::string> text;
    for (bool decided = false; !decided;) {
        decided = co_await recv_part_awaiter(state(), asked, text);
    }
    co_return text;
}

}  // namespace leat::detail
