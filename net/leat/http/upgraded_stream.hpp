// SPDX-License-Identifier: MIT
// upgraded_stream: a connection that client::upgrade has brought to another protocol (RFC 9110 7.8), and
// upgrade_refused: a server that answered otherwise.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/http/error.hpp>
#include <leat/http/message.hpp>
#include <leat/http/request_error.hpp>
#include <leat/http/url.hpp>

#include <memory>
#include <string>
#include <utility>

namespace leat::http {

struct upgraded_stream {
    response head;  // the answer with status 101
    http::url url;  // where it came from, after redirects
    any_stream stream;
};

// Its code is error::not_upgraded.
class upgrade_refused : public request_error {
public:
    upgrade_refused(const std::string& text, response answer)
        : request_error(error::not_upgraded, text),
          answer_(std::make_shared<const response>(std::move(answer))) {}
    // What the server said instead, with the first 64 KiB of its body.
    [[nodiscard]] const response& answer() const noexcept { return *answer_; }

private:
    std::shared_ptr<const response> answer_;  // exceptions are copied without throwing
};

}  // namespace leat::http
