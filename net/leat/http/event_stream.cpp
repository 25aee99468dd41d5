// SPDX-License-Identifier: MIT
#include <leat/http/event_stream.hpp>

#include <leat/sleep.hpp>

#include <algorithm>
#include <stdexcept>

namespace leat::http {
namespace {

void require_line(std::string_view text, const char* what) {
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos) {
        throw std::invalid_argument(std::string("the ") + what + " of an event holds a line break or a zero");
    }
}

// Each line of `text` behind `name`. CR LF, CR and LF end one.
void append_lines(std::string& out, std::string_view name, std::string_view text) {
    for (bool more = true; more;) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        out.append(name).append(text.substr(0, end)).append("\n");
        more = end < text.size();
        text.remove_prefix(std::min(end + (text.substr(end).starts_with("\r\n") ? 2 : 1), text.size()));
    }
}

}  // namespace

event_stream::event_stream(response_writer& writer) : writer_(writer) {
    writer.head().headers.set("Content-Type", "text/event-stream");
    writer.head().headers.set("Cache-Control", "no-store");
}

task<> event_stream::send(const server_event& event) {
    require_line(event.type, "type");
    std::string text;
    if (event.id) {
        require_line(*event.id, "id");
        append_lines(text, "id: ", *event.id);
    }
    if (!event.type.empty()) {
        append_lines(text, "event: ", event.type);
    }
    if (event.retry) {
        append_lines(text, "retry: ", std::to_string(std::max<std::int64_t>(event.retry->count(), 0)));
    }
    if (!event.data.empty()) {
        append_lines(text, "data: ", event.data);
    }
    return write(text + "\n");
}

task<> event_stream::comment(std::string_view text) {
    std::string lines;
    append_lines(lines, ": ", text);
    return write(lines + "\n");
}

task<> event_stream::keep_alive(duration every) {
    for (;;) {
        co_await comment();
        co_await sleep(every);
    }
}

task<> event_stream::write(std::string text) {
    co_await writer_.write(text);
}

std::string_view last_event_id(const request& asked) noexcept {
    return asked.headers.get("Last-Event-ID").value_or(std::string_view());
}

}  // namespace leat::http
