// SPDX-License-Identifier: MIT
// multipart_parser: takes a multipart/form-data body apart (RFC 7578, RFC 2046 5.1), however its bytes are
// cut: it is given them as they arrive and holds no more than the head of a part. read_multipart() does it at
// once with a body in memory.
//
//   const auto boundary = leat::http::multipart_boundary(asked);
//   const auto parts = leat::http::read_multipart(asked.body, *boundary);
//
// Piece by piece:
//
//   leat::http::multipart_parser parser(*boundary);
//   for (auto step = parser.next(input); ...; step = parser.next(input)) {
//       part: parser.part() begins     data: parser.data() belongs to it     more: give more     end: done
//   }
#pragma once

#include <leat/http/error.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/message.hpp>
#include <leat/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

// A body that exceeds one of them: error::form_too_large.
struct multipart_limits {
    std::size_t parts = 100;
    std::size_t header_bytes = 8 * 1024;    // of a part
    std::uint64_t field_bytes = 64 * 1024;  // of the data of a part without a file name
    std::uint64_t file_bytes = UINT64_MAX;  // of one with. The body as a whole has the limit of the server
};

// The head of a part.
struct form_part {
    std::string name;
    // What the client calls the file, without folders: for showing it. As the name of a file of the server's
    // it is a stranger's choice. Nothing: the part is no file.
    std::optional<std::string> file_name;
    std::string content_type = "text/plain";
    http::headers headers;
};

// A part with its data.
struct whole_part : form_part {
    std::string data;
};

class multipart_parser {
public:
    enum class step : std::uint8_t {
        more,  // the input is used up
        part,  // the data before has ended, and part() begins
        data,  // data() is some of the data of part(), at least a byte
        end,   // the last part has ended. What follows does not count
    };

    // `boundary` is that of the Content-Type: 1 to 70 characters (RFC 2046 5.1.1), else misuse.
    explicit multipart_parser(std::string_view boundary, multipart_limits limits = {});

    // Takes bytes off the front of `input`. Malformed: error::bad_form. After an error, and behind the end,
    // it gives the same again. An input that ends before `end` was given is truncated.
    [[nodiscard]] result<step> next(std::string_view& input);

    [[nodiscard]] const form_part& part() const noexcept { return part_; }
    // A view into what `input` was, or into this parser; good until the next call.
    [[nodiscard]] std::string_view data() const noexcept { return data_; }

private:
    enum class state : std::uint8_t { preamble, delimiter_end, head, data, epilogue };

    // Gives true when the delimiter was found; else the input is used up, or data_ has some data.
    [[nodiscard]] bool find_delimiter(std::string_view& input) noexcept;
    [[nodiscard]] result<step> take_data(std::string_view& input);
    [[nodiscard]] result<step> take_line_end(std::string_view& input);
    [[nodiscard]] result<step> take_head(std::string_view& input);
    [[nodiscard]] bool read_head();
    [[nodiscard]] result<step> fail(http::error why);

    std::string delimiter_;    // CR LF -- boundary
    std::size_t matched_ = 2;  // of it, at the end of what was taken
    std::size_t before_ = 2;   // of those: not data. The CR LF that ends the head, or a line not there
    multipart_limits limits_;
    std::size_t parts_ = 0;
    std::uint64_t data_left_ = 0;  // of the part's limit
    std::string line_;             // behind a delimiter, or the head of a part
    form_part part_;
    std::string_view data_;
    std::error_code failure_;
    state state_ = state::preamble;
};

// The boundary of a request with a multipart/form-data body; nothing when it has none, or no valid one.
[[nodiscard]] std::optional<std::string> multipart_boundary(const request& asked);

// All parts of a body. error::bad_form when it is malformed, error::truncated_body when its end is missing.
[[nodiscard]] result<std::vector<whole_part>> read_multipart(std::string_view body, std::string_view boundary,
                                                             multipart_limits limits = {});

}  // namespace leat::http
