// SPDX-License-Identifier: MIT
#include <leat/http/answers.hpp>

#include <utility>

namespace leat::http {
namespace {

response answer_of(std::string_view type, std::string body, int status) {
    response made;
    made.status = status;
    made.headers.add("Content-Type", type);
    made.body = std::move(body);
    return made;
}

}  // namespace

response text_answer(std::string text, int status) {
    return answer_of("text/plain; charset=utf-8", std::move(text), status);
}

response json_answer(std::string json, int status) {
    return answer_of("application/json", std::move(json), status);
}

response status_answer(int status) {
    if (status == 204 || status == 304) {  // they have no body, and no type of one
        response made;
        made.status = status;
        return made;
    }
    return text_answer(std::string(reason_phrase(status)) + "\n", status);
}

response redirect_to(std::string_view location, int status) {
    response made = status_answer(status);
    made.headers.add("Location", location);
    return made;
}

}  // namespace leat::http
