// SPDX-License-Identifier: MIT
// read_head: the start line and header fields of one message. The fields are read by llhttp, or by
// http-parser 2.9 where the distribution has only that. head_reader.cpp alone knows which; both give the same
// answers, since the rules that one of them does not enforce (as packaged, http-parser accepts "Name :
// value") are checked here.
#pragma once

#include <leat/http/message.hpp>

#include <cstddef>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

// `head` is whole: it ends with its blank line, each of its lines ends with CRLF and holds no other CR or LF,
// and none is folded. The target of a request is not looked at. On an error `into` is left in an unspecified
// state.
[[nodiscard]] std::error_code read_head(std::string_view head, std::size_t fields_max, request& into);
[[nodiscard]] std::error_code read_head(std::string_view head, std::size_t fields_max, response& into);

}  // namespace leat::http::detail
