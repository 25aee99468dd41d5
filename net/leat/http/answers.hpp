// SPDX-License-Identifier: MIT
// Whole answers of an HTTP server, for handlers that give one: of text, of JSON, of a status alone, and
// redirects.
//
//   co_return leat::http::json_answer("{\"ok\":true}");
#pragma once

#include <leat/http/message.hpp>

#include <string>
#include <string_view>

namespace leat::http {

// With Content-Type: text/plain; charset=utf-8.
[[nodiscard]] response text_answer(std::string text, int status = 200);
// `json` is JSON already, in UTF-8, made by the program or by a library: nlohmann::json::dump() and the like.
[[nodiscard]] response json_answer(std::string json, int status = 200);
// Says the status in words: "Not Found\n".
[[nodiscard]] response status_answer(int status);
// Sends the client to `location`: "/elsewhere", or a whole URL. 303: it asks there by GET; 307 and 308: as it
// has asked here, now or for ever. Throws std::invalid_argument for a location with a line break. One that a
// client has given leads its readers anywhere: check it.
[[nodiscard]] response redirect_to(std::string_view location, int status = 303);

}  // namespace leat::http
