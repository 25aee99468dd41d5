// SPDX-License-Identifier: MIT
// told_handler: a request_handler around that of a server, which tells of each answer (serve_options::
// on_answer). It is the same for every protocol that the server speaks.
#pragma once

#include <leat/http/access_log.hpp>
#include <leat/http/core/serve_connection.hpp>

namespace leat::http::detail {

class told_handler final : public request_handler {
public:
    using answer_function = void (*)(const answered& done);

    // `inner` outlives it. Unless `tell` is null it is called for each answer.
    told_handler(request_handler& inner, answer_function tell) noexcept
        : request_handler(inner.gives(), inner.reads()), inner_(inner), tell_(tell) {}
    // This, or `inner` itself where nobody is told.
    [[nodiscard]] request_handler& unless_unasked() noexcept {
        return tell_ != nullptr ? static_cast<request_handler&>(*this) : inner_;
    }
    [[nodiscard]] task<response> give(const request& asked) override;
    [[nodiscard]] task<> write(const request& asked, response_writer& writer) override;
    [[nodiscard]] task<response> give_reading(const request& asked, request_body_reader& body) override;
    [[nodiscard]] task<> write_reading(const request& asked, request_body_reader& body,
                                       response_writer& writer) override;

private:
    class account;
    [[nodiscard]] task<response> given(const request& asked, task<response> giving);
    [[nodiscard]] task<> written(const request& asked, task<> writing, response_writer& writer);

    request_handler& inner_;
    answer_function tell_;
};

}  // namespace leat::http::detail
