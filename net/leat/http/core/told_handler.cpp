// SPDX-License-Identifier: MIT
#include <leat/http/core/told_handler.hpp>

#include <leat/core/wall_clock.hpp>

#include <new>
#include <utility>

namespace leat::http::detail {

// Of one answer. Told when it ends: also when the handler is cancelled, and then it is cut.
class told_handler::account {
public:
    account(const told_handler& teller, const request& asked, response_writer* writer) noexcept
        : teller_(teller), asked_(asked), writer_(writer), began_(now()) {}
    account(const account&) = delete;
    account& operator=(const account&) = delete;
    ~account() {
        try {
            tell();
        } catch (const std::bad_alloc&) {  // for a line of the log, which is lost
        }
    }

    void given(const response& made) noexcept {
        status_ = made.status;
        body_bytes_ = made.body.size();
    }
    void answered() noexcept { how_ = ending::answered; }
    void thrown() noexcept { how_ = ending::thrown; }

private:
    enum class ending : unsigned char { cut, answered, thrown };

    void tell() const {
        const bool by_writer = writer_ != nullptr;
        const bool begun = by_writer && writer_->bytes_written() > 0;
        const bool ended = how_ == ending::answered;
        const int status = how_ == ending::thrown && !begun ? 500
                           : by_writer                      ? writer_->head().status
                                                            : status_;
        const std::uint64_t body = !by_writer ? body_bytes_
                                   : begun    ? writer_->bytes_written()
                                              : writer_->head().body.size();
        teller_.tell_({.asked = asked_,
                       .status = status,
                       .body_bytes = ended || begun ? body : 0,
                       .handler_time = now() - began_,
                       .cut = how_ == ending::cut || (how_ == ending::thrown && begun),
                       .when = leat::detail::wall_clock()});
    }

    const told_handler& teller_;
    const request& asked_;
    response_writer* writer_;  // null: the handler gives its answer
    time_point began_;
    int status_ = 0;
    std::uint64_t body_bytes_ = 0;
    ending how_ = ending::cut;
};

task<response> told_handler::given(const request& asked, task<response> giving) {
    account told(*this, asked, nullptr);
    try {
        response made = co_await std::move(giving);
        told.given(made);
        told.answered();
        co_return made;
    } catch (...) {
        told.thrown();
        throw;
    }
}

task<> told_handler::written(const request& asked, task<> writing, response_writer& writer) {
    account told(*this, asked, &writer);
    try {
        co_await std::move(writing);
        told.answered();
    } catch (...) {
        told.thrown();
        throw;
    }
}

task<response> told_handler::give(const request& asked) {
    return given(asked, inner_.give(asked));
}

task<> told_handler::write(const request& asked, response_writer& writer) {
    return written(asked, inner_.write(asked, writer), writer);
}

task<response> told_handler::give_reading(const request& asked, request_body_reader& body) {
    return given(asked, inner_.give_reading(asked, body));
}

task<> told_handler::write_reading(const request& asked, request_body_reader& body, response_writer& writer) {
    return written(asked, inner_.write_reading(asked, body, writer), writer);
}

}  // namespace leat::http::detail
