// SPDX-License-Identifier: MIT
// Bytes from a stranger through a buffered_reader that reads lines, parts, exact numbers of bytes and
// whatever has come, as the input says: what it gives is what a plain search in all the bytes gives, however
// they are cut. Between, reads are cancelled, bytes are put back, given back to the stream and read there,
// and the reader is moved and closed.
#include <leat/check.hpp>

#include "cut_stream.hpp"

using fuzz::memory_stream;
using leat::check;
using leat::task;

namespace {

constexpr std::string_view delimiters[] = {"\n", ";", "ab", "aab", "\r\n\r\n"};
constexpr std::string_view put_back[] = {"", "a", "\n", "x\r", "aa;b\n"};

enum class act { open_line, whole_line, until, exactly, recv_exactly, unread, line_of_stream, close };

struct step {
    act what;
    std::string_view text = {};  // a delimiter, or what is put back
    std::size_t size;            // a limit, or how many bytes
    fuzz::move_of_bytes before = {};
    unsigned turns = 0;  // until it is cancelled; with never_cancelled it is not
};
constexpr unsigned never_cancelled = 8;

std::vector<step> chosen_steps(fuzz::choices& choose) {
    std::vector<step> steps;
    for (unsigned count = choose.below(12); count > 0; --count) {
        const act what = static_cast<act>(choose.below(8));
        const auto& texts = what == act::unread ? put_back : delimiters;
        const std::string_view text = texts[choose.below(std::size(delimiters))];
        const std::size_t size = 1 + choose.below(30);
        steps.push_back({what, text, size, fuzz::chosen_move(choose), choose.below(2 * never_cancelled)});
    }
    return steps;
}

std::string shown(const std::optional<std::string_view>& part) {
    return part ? "[" + std::string(*part) + "]" : "[]end";
}

using reader_type = leat::buffered_reader<memory_stream&>;

task<std::string> read_one(reader_type& reader, const step& next) {
    std::optional<std::string_view> part;
    std::string some;
    switch (next.what) {
        case act::open_line:
            part = co_await reader.line(next.size);
            break;
        case act::whole_line:
            part = co_await reader.line(next.size, leat::last_line::must_end);
            break;
        case act::until:
            part = co_await reader.until(next.text, next.size);
            break;
        case act::exactly:
            part = co_await reader.exactly(next.size);
            break;
        case act::recv_exactly:
            some.resize(next.size);
            co_await reader.recv_exactly(some);
            part = some;
            break;
        case act::line_of_stream: {
            reader.give_back();
            const auto line = co_await leat::recv_line(reader.stream(), next.size);
            some = line.value_or("");
            part = line ? std::optional<std::string_view>(some) : std::nullopt;
            break;
        }
        case act::unread:
        case act::close:
            break;
    }
    co_return shown(part);
}

// What it gives or fails with.
task<std::string> outcome_of(reader_type& reader, const step& next) {
    std::string seen;
    try {
        seen = co_await read_one(reader, next);
    } catch (const std::system_error& error) {
        seen = error.code().message();
    }
    co_return seen;
}

// The same by a plain search.
class plain_reader {
public:
    explicit plain_reader(std::string_view all) : rest_(all) {}

    void unread(std::string_view text) { rest_.insert(0, text); }
    [[nodiscard]] const std::string& rest() const noexcept { return rest_; }
    // What the read gives. Nothing is read after a failure.
    std::string read(const step& next) {
        if (next.what == act::exactly || next.what == act::recv_exactly) {
            return read_exactly(next);
        }
        const bool line = next.what != act::until;
        const std::string_view delimiter = line ? "\n" : next.text;
        const std::size_t end = rest_.find(delimiter);
        if (end == rest_.npos) {
            return read_last(next, delimiter.size());
        }
        const std::size_t size = line && end > 0 && rest_[end - 1] == '\r' ? end - 1 : end;
        return size > next.size ? failed(leat::framing_errc::too_long) : given(size, end + delimiter.size());
    }
    bool failed_before = false;

private:
    std::string failed(std::error_code code) {
        failed_before = true;
        return code.message();
    }
    std::string given(std::size_t size, std::size_t whole) {
        std::string seen = shown(std::string_view(rest_).substr(0, size));
        rest_.erase(0, whole);
        return seen;
    }
    std::string read_exactly(const step& next) {
        if (rest_.size() >= next.size) {
            return given(next.size, next.size);
        }
        if (next.what == act::recv_exactly) {
            rest_.clear();  // that is in the buffer
        }
        return failed(leat::stream_errc::end_of_stream);
    }
    // Without a delimiter up to the end.
    std::string read_last(const step& next, std::size_t delimiter) {
        if (rest_.empty()) {
            return shown({});
        }
        const bool line = next.what != act::until;
        const bool open = line && next.what != act::whole_line;
        const std::size_t unsure =
            line ? (rest_.back() == '\r' ? 1 : 0) : std::min(rest_.size(), delimiter - 1);
        if (rest_.size() - unsure > next.size || (open && rest_.size() > next.size)) {
            return failed(leat::framing_errc::too_long);
        }
        return open ? given(rest_.size(), rest_.size()) : failed(leat::stream_errc::end_of_stream);
    }

    std::string rest_;
};

task<> check_read(reader_type& reader, plain_reader& plain, const step& next) {
    std::optional<std::string> seen;
    if (next.turns < never_cancelled) {
        seen = co_await fuzz::unless_cancelled([&] { return outcome_of(reader, next); }, next.turns);
    } else {
        seen = co_await outcome_of(reader, next);
    }
    check(!seen || *seen == plain.read(next), "a reader gives what a plain search finds");
}

task<std::string> rest_of(reader_type& reader) {
    std::string rest;
    while (const leat::chunk part = co_await reader.recv_chunk()) {
        rest += part.text();
    }
    co_return rest;
}

// Until one fails: then the rest is what is left.
task<std::string> read_as_told(memory_stream& from, const std::vector<step>& steps, std::string_view bytes) {
    reader_type reader(from);
    plain_reader plain(bytes);
    for (const step& next : steps) {
        fuzz::move_bytes(reader, next.before);
        if (next.what == act::unread) {
            reader.unread(leat::copied_chunk(std::as_bytes(std::span(next.text))));
            plain.unread(next.text);
        } else if (next.what == act::close) {
            reader.close();
            const std::string late = co_await outcome_of(reader, {.what = act::open_line, .size = 1});
            check(late == leat::make_error_code(leat::stream_errc::closed).message(), "a closed one says so");
            co_return "";
        } else {
            co_await check_read(reader, plain, next);
        }
        if (plain.failed_before) {
            break;
        }
    }
    const std::string rest = co_await rest_of(reader);
    check(rest == plain.rest(), "what follows is what is left");
    co_return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const std::vector<step> steps = chosen_steps(choose);
    const std::size_t cut = 1 + choose.below(20);
    std::string bytes;
    while (choose.left()) {
        bytes += static_cast<char>(choose.byte());
    }
    const auto read = [&](memory_stream& from) { return read_as_told(from, steps, bytes); };
    for (const std::size_t each : {std::size_t{1}, cut, bytes.size() + 1}) {
        (void)fuzz::seen_by(read, bytes, each);
    }
    return 0;
}
