// SPDX-License-Identifier: MIT
// request_url: what a request of the HTTP client asks for: text, or a url that was parsed before. Made where
// a client is called, from either.
//
//     co_await client.get("https://example.org/");
//     co_await client.get(page.url.resolve("/next"));
#pragma once

#include <leat/http/url.hpp>

#include <concepts>
#include <string>
#include <utility>
#include <variant>

namespace leat::http {

class request_url {
public:
    // Text is parsed when the request begins: what is wrong with it is an error of the request.
    template <std::convertible_to<std::string> Text>
    request_url(Text&& text) : given_(std::in_place_type<std::string>, std::forward<Text>(text)) {}
    request_url(url parsed) noexcept : given_(std::move(parsed)) {}

    // Throws as url::parse does.
    [[nodiscard]] url take() && {
        if (url* const parsed = std::get_if<url>(&given_)) {
            return std::move(*parsed);
        }
        return url::parse(std::get<std::string>(given_));
    }

private:
    std::variant<std::string, url> given_;
};

}  // namespace leat::http
