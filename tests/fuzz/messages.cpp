// SPDX-License-Identifier: MIT
// Bytes from a stranger as messages of each format: the messages, and what is refused in the end, do not
// depend on how the bytes are cut, and nothing is longer than the limit. What is sent is received as it was,
// and what a sender refuses could not have been. Between, a recv is cancelled, and bytes change places.
#include <leat/check.hpp>

#include "cut_stream.hpp"

#include <bit>

using fuzz::memory_stream;
using leat::check;
using leat::message_format;
using leat::task;

namespace {

message_format chosen_format(fuzz::choices& choose) {
    const unsigned kind = choose.byte();
    const leat::message_options options{.limit = choose.size() % 300 + 1, .empty = (kind & 0x80) == 0};
    switch (kind % 8) {
        case 0:
            return message_format::with_terminator("\r<--EOM-->\r", options);
        case 1:
            return message_format::with_terminator(std::string(1 + choose.below(4), 'a'), options);
        case 2:
            return message_format::with_terminator("aab", options);
        case 3:
            return message_format::with_digits(1 + static_cast<int>(choose.below(19)), options);
        case 4:
            return message_format::with_length(1 << choose.below(4), std::endian::big, options);
        case 5:
            return message_format::with_length(1 << choose.below(4), std::endian::little, options);
        case 6:
            return message_format::with_digits(1, options);
        default:
            return message_format::with_varint(options);
    }
}

struct trouble {
    fuzz::move_of_bytes move;
    unsigned turns;  // until a recv is cancelled
};

std::vector<trouble> chosen_trouble(fuzz::choices& choose) {
    std::vector<trouble> chosen;
    for (unsigned count = choose.below(8); count > 0; --count) {
        chosen.push_back({fuzz::chosen_move(choose), choose.below(6)});
    }
    return chosen;
}

using peer_type = leat::message_stream<memory_stream&>;

// A message behind its length, or how it ended.
task<std::string> next_message(peer_type& peer, bool& over) {
    std::string seen;
    try {
        if (const auto message = co_await peer.recv()) {
            check(message->size() <= peer.format().longest(), "no message is longer than the limit");
            seen = std::to_string(message->size()) + ":" + std::string(*message);
        } else {
            seen = "end";
            over = true;
        }
    } catch (const std::system_error& error) {
        seen = std::string(error.what()) + ", left " + std::to_string(peer.reader().held() == 0);
        over = true;
    }
    co_return seen;
}

// All of them.
task<std::string> all_messages(memory_stream& from, const message_format& format,
                               std::vector<trouble> between) {
    peer_type peer(from, format);
    std::string seen;
    bool over = false;
    for (const trouble& each : between) {
        fuzz::move_bytes(peer.reader(), each.move);
        if (!over) {
            const auto next =
                co_await fuzz::unless_cancelled([&] { return next_message(peer, over); }, each.turns);
            seen += next.value_or("");
        }
    }
    while (!over) {
        seen += co_await next_message(peer, over);
    }
    co_return seen;
}

void check_round_trip(const message_format& format, std::string_view message, std::size_t step) {
    const std::string end = format.terminator();
    const std::string whole = std::string(message) + end;
    std::string head;
    try {
        head = format.head_of(message).text();
    } catch (const std::system_error& error) {
        check(error.code() != leat::framing_errc::contains_terminator || whole.find(end) != message.size(),
              "a message is refused only if its end would be seen elsewhere");
        check(error.code() != leat::framing_errc::too_long || message.size() > format.longest(),
              "or if it is too long");
        check(error.code() != leat::framing_errc::empty_message || message.empty(), "or empty");
        return;
    }
    const std::string sent = head + whole;
    const std::string seen =
        fuzz::seen_by([&](memory_stream& from) { return all_messages(from, format, {}); }, sent + sent, step);
    const std::string once = std::to_string(message.size()) + ":" + std::string(message);
    check(seen == once + once + "end", "what is sent is received as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz::choices choose(data, size);
    const message_format format = chosen_format(choose);
    const std::size_t step = 1 + choose.below(40);
    const std::vector<trouble> between = chosen_trouble(choose);
    std::string bytes;
    while (choose.left()) {
        bytes += static_cast<char>(choose.byte());
    }
    const auto at_rest = [&](memory_stream& from) { return all_messages(from, format, {}); };
    const auto read = [&](memory_stream& from) { return all_messages(from, format, between); };
    const std::string whole = fuzz::seen_by(at_rest, bytes, bytes.size() + 1);
    check(fuzz::seen_by(read, bytes, bytes.size() + 1) == whole, "cancelled reads take nothing");
    check(fuzz::seen_by(read, bytes, 1) == whole, "single bytes give the same");
    check(fuzz::seen_by(read, bytes, step) == whole, "and so do other cuts");
    check_round_trip(format, bytes, step);
    return 0;
}
