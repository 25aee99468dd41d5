// SPDX-License-Identifier: MIT
#include <leat/framing/core/part.hpp>

#include <leat/check.hpp>
#include <leat/core/duration_text.hpp>
#include <leat/framing/message_format.hpp>
#include <leat/stream.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <string>

#include <string.h>

namespace leat::detail {

namespace {

part line_in(std::string_view held, std::size_t limit, std::size_t searched) noexcept {
    const std::size_t end = held.find('\n', searched);
    const std::size_t before = std::min(end, held.size());
    const std::size_t size = before - (before > 0 && held[before - 1] == '\r' ? 1 : 0);
    if (size > limit) {
        return part::refused_for(framing_errc::too_long, size);
    }
    return end == held.npos ? part::missing_after(held.size()) : part::at(0, size, end + 1 - size);
}

// As errors name it.
std::string name_of(const wanted& asked) {
    switch (asked.is) {
        case wanted::what::line:
        case wanted::what::whole_line:
            return "a line";
        case wanted::what::until:
            return "a part that ends with a delimiter";
        case wanted::what::message:
            return "a message";
        case wanted::what::exactly:
            break;
    }
    return "bytes";
}

[[noreturn]] void fail_at_end(const wanted& asked, std::size_t arrived) {
    throw std::system_error(
        stream_errc::end_of_stream,
        "recv of " + name_of(asked) + ": " + std::to_string(arrived) +
            (asked.is == wanted::what::exactly ? " of " + std::to_string(asked.size) : "") +
            " bytes arrived");
}

}  // namespace

wanted wanted_line(std::size_t limit, bool open) noexcept {
    check(limit > 0, "a limit is at least one byte");
    return {.is = open ? wanted::what::line : wanted::what::whole_line, .size = limit, .delimiter = "\n"};
}

wanted wanted_until(std::string_view delimiter, std::size_t limit) noexcept {
    check(limit > 0, "a limit is at least one byte");
    check(!delimiter.empty(), "a delimiter has at least one byte");
    return {.is = wanted::what::until, .size = limit, .delimiter = delimiter};
}

part part_until(std::string_view delimiter, std::size_t limit, std::string_view held,
                std::size_t searched) noexcept {
    const std::size_t begin = std::min(searched, held.size());
    // Not find(): memmem takes linear time for any delimiter.
    const void* const found =
        held.size() - begin < delimiter.size()
            ? nullptr
            : ::memmem(held.data() + begin, held.size() - begin, delimiter.data(), delimiter.size());
    const std::size_t certain = found != nullptr
                                    ? static_cast<std::size_t>(static_cast<const char*>(found) - held.data())
                                    : held.size() - std::min(held.size(), delimiter.size() - 1);
    if (certain > limit) {
        return part::refused_for(framing_errc::too_long, certain);
    }
    return found != nullptr ? part::at(0, certain, delimiter.size()) : part::missing_after(certain);
}

part look_for(const wanted& asked, std::string_view held, std::size_t searched) noexcept {
    switch (asked.is) {
        case wanted::what::line:
        case wanted::what::whole_line:
            return line_in(held, asked.size, searched);
        case wanted::what::until:
            return part_until(asked.delimiter, asked.size, held, searched);
        case wanted::what::message:
            return asked.format->look(held, searched);
        case wanted::what::exactly:
            break;
    }
    return held.size() >= asked.size ? part::at(0, asked.size, 0) : part();
}

part last_of(const wanted& asked, std::string_view held) {
    if (asked.is == wanted::what::exactly || (asked.is != wanted::what::line && !held.empty())) {
        fail_at_end(asked, held.size());
    }
    if (held.empty()) {
        return {.is = part::state::ended};
    }
    return held.size() > asked.size ? part::refused_for(framing_errc::too_long, held.size())
                                    : part::at(0, held.size(), 0);
}

void fail_idle(duration idle) {
    throw timed_out("nothing was received for " + duration_text(idle));
}

void refuse(const wanted& asked, const part& refused, std::string_view held) {
    if (asked.is == wanted::what::message) {
        asked.format->refuse(refused, held);
    }
    throw std::system_error(refused.why,
                            name_of(asked) + " of more than " + std::to_string(asked.size) + " bytes");
}

}  // namespace leat::detail
