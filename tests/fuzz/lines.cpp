// SPDX-License-Identifier: MIT
// Bytes from a stranger through a buffered_reader that reads lines, parts, exact numbers of bytes and
// whatever has come, as the input says: what it gives is what a plain search in all the bytes gives, however
// they are cut.
#include <leat/check.hpp>

#include "cut_stream.hpp"

#include <algorithm>

using fuzz::memory_stream;
using leat::check;
using leat::task;

namespace {

constexpr std::string_view delimiters[] = {"\n", ";", "ab", "aab", "\r\n\r\n"};

struct step {
    unsigned kind;
    std::string_view delimiter;
    std::size_t size;  // a limit, or how many bytes
};

std::vector<step> chosen_steps(fuzz::choices& choose) {
    std::vector<step> steps;
    for (unsigned count = choose.below(12); count > 0; --count) {
        const unsigned kind = choose.below(6);
        steps.push_back({kind, delimiters[choose.below(std::size(delimiters))], 1 + choose.below(30)});
    }
    return steps;
}

// Until one fails: then the rest is what is left.
task<std::string> read_as_told(memory_stream& from, const std::vector<step>& steps) {
    leat::buffered_reader reader(from);
    std::string seen;
    const auto add = [&](const std::optional<std::string_view>& part) {
        seen += part ? "[" + std::string(*part) + "]" : "[]end";
    };
    try {
        for (const step& next : steps) {
            if (next.kind < 2) {
                add(co_await reader.line(next.size, leat::last_line(next.kind == 1)));
            } else if (next.kind == 2) {
                add(co_await reader.until(next.delimiter, next.size));
            } else if (next.kind == 3) {
                add(co_await reader.exactly(next.size));
            } else {
                std::string some(next.size, ' ');
                co_await reader.recv_exactly(some);
                add(some);
            }
        }
    } catch (const std::system_error& error) {
        seen += error.code().message();
    }
    while (const leat::chunk part = co_await reader.recv_chunk()) {
        seen += part.text();
    }
    co_return seen;
}

// The same by a plain search.
class plain_reader {
public:
    explicit plain_reader(std::string_view all) noexcept : rest_(all) {}

    std::string read(const std::vector<step>& steps) {
        (void)std::all_of(steps.begin(), steps.end(), [this](const step& next) { return take(next); });
        return seen_ + std::string(rest_);
    }

private:
    bool fail(std::error_code code) {
        seen_ += code.message();
        return false;
    }
    bool give(std::size_t size, std::size_t whole) {
        seen_ += "[" + std::string(rest_.substr(0, size)) + "]";
        rest_.remove_prefix(whole);
        return true;
    }
    bool take(const step& next) {
        if (next.kind > 2) {
            return take_exactly(next);
        }
        const std::string_view delimiter = next.kind < 2 ? "\n" : next.delimiter;
        const std::size_t end = rest_.find(delimiter);
        std::size_t size = std::min(end, rest_.size());
        if (next.kind < 2 && size > 0 && rest_[size - 1] == '\r' && end != rest_.npos) {
            --size;
        }
        if (end != rest_.npos) {
            return size > next.size ? fail(leat::framing_errc::too_long) : give(size, end + delimiter.size());
        }
        return take_last(next, delimiter.size());
    }
    bool take_exactly(const step& next) {
        if (rest_.size() >= next.size) {
            return give(next.size, next.size);
        }
        if (next.kind > 3) {
            rest_ = {};  // that was in the buffer
        }
        return fail(leat::stream_errc::end_of_stream);
    }
    // Without a delimiter up to the end.
    bool take_last(const step& next, std::size_t delimiter) {
        if (rest_.empty()) {
            seen_ += "[]end";
            return true;
        }
        const bool line = next.kind < 2;
        const std::size_t open =
            line ? (rest_.back() == '\r' ? 1 : 0) : std::min(rest_.size(), delimiter - 1);
        if (rest_.size() - open > next.size || (next.kind == 0 && rest_.size() > next.size)) {
            return fail(leat::framing_errc::too_long);
        }
        return next.kind == 0 ? give(rest_.size(), rest_.size()) : fail(leat::stream_errc::end_of_stream);
    }

    std::string_view rest_;
    std::string seen_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const std::vector<step> steps = chosen_steps(choose);
    const std::size_t cut = 1 + choose.below(20);
    std::string bytes;
    while (choose.left()) {
        bytes += static_cast<char>(choose.byte());
    }
    const std::string expected = plain_reader(bytes).read(steps);
    const auto read = [&](memory_stream& from) { return read_as_told(from, steps); };
    for (const std::size_t each : {std::size_t{1}, cut, bytes.size() + 1}) {
        check(fuzz::seen_by(read, bytes, each) == expected, "a reader gives what a plain search finds");
    }
    return 0;
}
