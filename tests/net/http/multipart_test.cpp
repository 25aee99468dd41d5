// SPDX-License-Identifier: MIT
#include <leat/http/error.hpp>
#include <leat/http/multipart.hpp>

#include <doctest/doctest.h>

#include <string>

using leat::http::multipart_limits;
using leat::http::multipart_parser;

namespace {

// "name=data|name(file name,type)=data", or the error in words; the body is given in pieces of `step` bytes.
std::string parts_of(std::string_view body, std::size_t step, multipart_limits limits = {}) {
    multipart_parser parser("B-b", limits);
    std::string all;
    while (!body.empty()) {
        std::string_view piece = body.substr(0, step);
        body.remove_prefix(piece.size());
        for (bool more = true; more;) {
            const auto taken = parser.next(piece);
            if (!taken) {
                return taken.error().message();
            }
            switch (*taken) {
                case multipart_parser::step::more:
                    more = false;
                    break;
                case multipart_parser::step::part:
                    all += (all.empty() ? "" : "|") + parser.part().name;
                    all += parser.part().file_name
                               ? "(" + *parser.part().file_name + "," + parser.part().content_type + ")="
                               : "=";
                    break;
                case multipart_parser::step::data:
                    CHECK(!parser.data().empty());
                    all += parser.data();
                    break;
                case multipart_parser::step::end:
                    return all;
            }
        }
    }
    return "truncated";
}

// The same however it is cut.
std::string parts_of(const std::string& body, multipart_limits limits = {}) {
    const std::string whole = parts_of(body, body.size(), limits);
    for (std::size_t step = 1; step < body.size(); ++step) {
        CHECK_MESSAGE(parts_of(body, step, limits) == whole, step);
    }
    return whole;
}

std::string part(std::string_view name, std::string_view data) {
    return "--B-b\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
           std::string(data) + "\r\n";
}

const std::string last_line = "--B-b--\r\n";
constexpr const char* malformed = "the multipart body is malformed";
constexpr const char* too_large = "the form has more parts, or larger ones, than the limit";

}  // namespace

TEST_CASE("parts of a form are told apart, however the bytes are cut") {
    CHECK(parts_of(part("a", "1") + part("b", "x\r\ny") + last_line) == "a=1|b=x\r\ny");
    CHECK(parts_of("--B-b\r\nContent-Type: image/png\r\ncontent-disposition: Form-Data; name=f; "
                   "filename=\"C:\\x\\p.png\"\r\n\r\nPNG\r\n" +
                   last_line) == "f(p.png,image/png)=PNG");
    CHECK(parts_of("preamble\r\n--B-" + std::string("\r\n") + part("a", "1") + "--B-b--epilogue--B-b") ==
          "a=1");
    CHECK(parts_of(part("a", "") + last_line) == "a=");
    CHECK(parts_of("--B-b \t\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--B-b--") == "a=");
    CHECK(parts_of(last_line) == "");
}

TEST_CASE("what looks like a delimiter and is none is data") {
    for (const std::string data : {"\r", "\r\n", "\r\r\n", "\r\n-", "\r\n--", "\r\n--B-", "\r\n--B-c",
                                   "\r\n\r\n", "--B-b", "-", "\n--B-b\n", "\r\n--\r\n--B-\r"}) {
        CHECK(parts_of(part("a", "x" + data) + last_line) == "a=x" + data);
        if (data != "--B-b") {
            CHECK(parts_of(part("a", data) + last_line) == "a=" + data);
        }
    }
}

TEST_CASE("names are read as browsers write them") {
    const auto name_of = [](const std::string& parameters) {
        return parts_of("--B-b\r\nContent-Disposition: form-data" + parameters + "\r\n\r\n\r\n" + last_line);
    };
    CHECK(name_of("; name=\"a \\\"b\\\" c\\d\"") == "a \"b\" c\\d=");
    CHECK(name_of(";name=\"\xc3\xa9;x=1\"; filename=\"\"") == "\xc3\xa9;x=1(,text/plain)=");
    CHECK(name_of("; filename=\"../../etc/passwd\"; name=\"f\"") == "f(passwd,text/plain)=");
    CHECK(name_of("; filename=\"..\\..\\x\"; name=f") == "f(x,text/plain)=");
    CHECK(name_of("; name=\"\"") == "=");
    CHECK(name_of("") == malformed);
    CHECK(name_of("; filename=x") == malformed);
    CHECK(name_of("; name=\"a") == malformed);
    CHECK(name_of("; name=a b") == malformed);
}

TEST_CASE("a malformed body is refused") {
    CHECK(parts_of("--B-bx\r\n") == malformed);
    CHECK(parts_of("--B-b-\r\n") == malformed);
    CHECK(parts_of("--B-b\n") == malformed);
    CHECK(parts_of("--B-b\rx") == malformed);
    CHECK(parts_of("--B-b" + std::string(300, ' ')) == malformed);
    CHECK(parts_of("--B-b\r\n\r\ndata") == malformed);
    CHECK(parts_of("--B-b\r\nContent-Disposition: attachment; name=a\r\n\r\n") == malformed);
    CHECK(parts_of("--B-b\r\nContent-Type: a/b\r\n\r\n") == malformed);
    CHECK(parts_of("--B-b\r\nnonsense\r\n\r\n") == malformed);
    CHECK(parts_of("--B-b\r\nA: b\r\n folded\r\n\r\n") == malformed);
    CHECK(parts_of("--B-b\r\nContent-Disposition: form-data; name=a\n\r\n\r\n") == malformed);
    CHECK(parts_of(part("a", "1")) == "truncated");
    CHECK(parts_of(part("a", "1") + "--B-b") == "truncated");
    CHECK(parts_of("no part at all") == "truncated");
}

TEST_CASE("a form has limits") {
    const std::string file =
        "--B-b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n12345\r\n" + last_line;
    CHECK(parts_of(part("a", "1") + part("b", "2") + last_line, {.parts = 2}) == "a=1|b=2");
    CHECK(parts_of(part("a", "1") + part("b", "2") + last_line, {.parts = 1}) == too_large);
    CHECK(parts_of(part("a", "12345") + last_line, {.field_bytes = 5}) == "a=12345");
    CHECK(parts_of(part("a", "12\r\n5") + last_line, {.field_bytes = 4}) == too_large);
    CHECK(parts_of(file, {.field_bytes = 4}) == "f(f,text/plain)=12345");
    CHECK(parts_of(file, {.file_bytes = 4}) == too_large);
    CHECK(parts_of(part("a", "1") + last_line, {.header_bytes = 20}) == too_large);
}

TEST_CASE("a body in memory is read at once") {
    const auto parts = leat::http::read_multipart(part("a", "x\r\ry") + part("b", "") + last_line, "B-b");
    REQUIRE(parts.ok());
    REQUIRE(parts->size() == 2);
    CHECK((*parts)[0].name == "a");
    CHECK((*parts)[0].data == "x\r\ry");
    CHECK(!(*parts)[0].file_name);
    CHECK((*parts)[1].headers.contains("Content-Disposition"));
    CHECK(leat::http::read_multipart(part("a", "1"), "B-b").error() == leat::http::error::truncated_body);
    CHECK(leat::http::read_multipart("--B-bx", "B-b").error() == leat::http::error::bad_form);
}

TEST_CASE("the boundary is that of the Content-Type") {
    const auto boundary_in = [](std::string_view type) {
        leat::http::request asked;
        asked.headers.add("Content-Type", type);
        return leat::http::multipart_boundary(asked).value_or("none");
    };
    CHECK(boundary_in("multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW") ==
          "----WebKitFormBoundary7MA4YWxkTrZu0gW");
    CHECK(boundary_in("Multipart/Form-Data;charset=x; BOUNDARY=\"a b:c\"") == "a b:c");
    CHECK(boundary_in("multipart/form-data; boundary=" + std::string(70, 'x')) == std::string(70, 'x'));
    for (const std::string type :
         {"multipart/form-data", "multipart/mixed; boundary=a", "text/plain; boundary=a",
          "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"a \"",
          "multipart/form-data; boundary=\"a\tb\"", "multipart/form-data; boundary=a;boundary"}) {
        const bool first_counts = type.ends_with("boundary");
        CHECK_MESSAGE(boundary_in(type) == (first_counts ? "a" : "none"), type);
    }
    CHECK(boundary_in("multipart/form-data; boundary=" + std::string(71, 'x')) == "none");
    CHECK(leat::http::multipart_boundary({}) == std::nullopt);
}
