// SPDX-License-Identifier: MIT
#include <leat/system/pipe.hpp>

#include "../../crash/child_process.hpp"
#include "../../support/mapped_memory.hpp"

#include <leat/fd.hpp>
#include <leat/runtime.hpp>
#include <leat/stream.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>

using namespace std::chrono_literals;

static_assert(leat::receive_stream<leat::pipe_reader>);
static_assert(leat::send_stream<leat::pipe_writer>);

namespace {

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

leat::task<std::string> read_pipe_to_end(leat::pipe_reader& from) {
    std::string all;
    std::array<char, 5000> block;
    while (const std::size_t size = co_await from.recv(block)) {
        all.append(block.data(), size);
    }
    co_return all;
}

// Bytes in which a lost or doubled piece shows.
std::string numbered(std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) {
        text += std::to_string(i) + ' ';
    }
    return text;
}

// What `body` fails with; no code if it does not fail.
leat::task<std::error_code> error_of(leat::task<> body) {
    try {
        co_await std::move(body);
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

leat::task<> receive_one(leat::pipe_reader& from) {
    std::array<char, 1> byte;
    (void)co_await from.recv(byte);
}

bool sigpipe_is_blocked() {
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return sigismember(&blocked, SIGPIPE) == 1;
}

bool sigpipe_is_pending() {
    sigset_t pending;
    ::sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

// Bytes in the pipe itself.
int unread(const leat::pipe_reader& reader) {
    int count = 0;
    REQUIRE(::ioctl(reader.native_handle(), FIONREAD, &count) == 0);
    return count;
}

struct shared_pipe {
    leat::fd out;
    leat::fd in;
};

// A pipe whose ends block, as those that a shell makes.
shared_pipe blocking_pipe() {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
    return {leat::fd(both[0]), leat::fd(both[1])};
}

}  // namespace

LEAT_TEST("a pipe carries more than fits into it, in order, and its end", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    const std::string text = numbered(1'000'000);
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await writer.send_all(text);
        writer.close();
    });
    const std::string arrived = co_await read_pipe_to_end(reader);
    co_await sender;
    CHECK(arrived == text);
    CHECK(writer.bytes_sent() == text.size());
}

LEAT_TEST("recv_exactly fills the buffer, and says how much came before the end", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (const char* piece : {"ab", "cd", "ef"}) {
            co_await writer.send_all(piece);
            co_await leat::yield();
        }
        writer.close();
    });
    std::array<char, 4> four;
    co_await reader.recv_exactly(four);
    CHECK(std::string(four.data(), 4) == "abcd");
    std::string message;
    try {
        co_await reader.recv_exactly(four);
    } catch (const std::system_error& error) {
        CHECK(error.code() == leat::stream_errc::end_of_stream);
        message = error.what();
    }
    CHECK(message.find("2 of 4 bytes arrived") != std::string::npos);
    co_await sender;
}

LEAT_TEST("recv_chunk gives what is there, and an empty chunk at the end", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    auto waiting = leat::spawn([&]() { return reader.recv_chunk(); });
    co_await leat::yield();
    co_await writer.send_all("hello");
    const leat::chunk first = co_await waiting;
    CHECK(text_of(first) == "hello");
    const std::string large(40'000, 'x');
    co_await writer.send_all(large);
    const leat::chunk second = co_await reader.recv_chunk();
    CHECK(text_of(second) == large);
    writer.close();
    const leat::chunk last = co_await reader.recv_chunk();
    CHECK(last.empty());
}

LEAT_TEST("a cancelled read takes nothing, and a cancelled recv_exactly gives back what it had", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    std::array<char, 10> ten;
    const bool read = (co_await leat::move_on_after(1us, reader.recv(ten))).has_value();
    CHECK_FALSE(read);
    auto whole = leat::spawn([&]() { return reader.recv_exactly(ten); });
    co_await writer.send_all("abc");
    while (unread(reader) > 0) {
        co_await leat::yield();
    }
    whole.cancel();
    (void)co_await whole.join();
    co_await writer.send_all("def");
    std::array<char, 6> six;
    co_await reader.recv_exactly(six);
    CHECK(std::string(six.data(), 6) == "abcdef");
}

LEAT_TEST("what was given back is read by recv, in pieces, and by recv_chunk", on(kernel)) {
    for (const bool by_chunk : {false, true}) {
        auto [reader, writer] = leat::make_pipe();
        std::array<char, 10> ten;
        co_await writer.send_all("abcd");
        const bool filled = co_await leat::move_on_after(1ms, reader.recv_exactly(ten));
        CHECK_FALSE(filled);
        if (by_chunk) {
            const leat::chunk all = co_await reader.recv_chunk();
            CHECK(text_of(all) == "abcd");
        } else {
            std::array<char, 3> three;
            const std::size_t first = co_await reader.recv(three);
            const std::size_t second = co_await reader.recv(three);
            CHECK(first == 3);
            CHECK(second == 1);
            CHECK(three[0] == 'd');
        }
    }
}

LEAT_TEST("a read in a cancelled task takes nothing, even of what is there", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    co_await writer.send_all("x");
    std::array<char, 1> byte;
    const bool early = (co_await leat::move_on_after(0s, reader.recv(byte))).has_value();
    CHECK_FALSE(early);
    const std::size_t later = co_await reader.recv(byte);
    CHECK(later == 1);
}

LEAT_TEST("a send_all that is cancelled midway breaks the pipe, one that sent nothing does not", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    const std::string text(1'000'000, 'x');
    const bool early = co_await leat::move_on_after(0s, writer.send_all(text));
    CHECK_FALSE(early);
    CHECK(writer.bytes_sent() == 0);
    const bool all = co_await leat::move_on_after(1ms, writer.send_all(text));
    CHECK_FALSE(all);
    CHECK(writer.bytes_sent() > 0);
    CHECK(writer.bytes_sent() < text.size());
    const auto refused = co_await error_of(writer.send_all("more"));
    CHECK(refused == leat::stream_errc::broken);
    const auto refused_some = co_await leat::as_result(writer.send("more"));
    CHECK(refused_some.error() == leat::stream_errc::broken);
    const auto sent = writer.bytes_sent();
    writer.close();
    const std::string arrived = co_await read_pipe_to_end(reader);
    CHECK(arrived.size() == sent);
}

LEAT_TEST("writing into a pipe that nobody reads is an error and no signal", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    reader.close();
    const auto alone = co_await error_of(writer.send_all("x"));
    CHECK(alone == std::errc::broken_pipe);
    CHECK_FALSE(sigpipe_is_blocked());
    CHECK_FALSE(sigpipe_is_pending());
}

LEAT_TEST("a SIGPIPE that the program has blocked and not taken yet is left pending", on(kernel)) {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_only, nullptr);
    auto [reader, writer] = leat::make_pipe();
    reader.close();
    const auto first = co_await error_of(writer.send_all("x"));
    CHECK(first == std::errc::broken_pipe);
    CHECK_FALSE(sigpipe_is_pending());
    ::raise(SIGPIPE);
    const auto second = co_await error_of(writer.send_all("x"));
    CHECK(second == std::errc::broken_pipe);
    CHECK(sigpipe_is_pending());
    const timespec at_once{};
    CHECK(::sigtimedwait(&pipe_only, nullptr, &at_once) == SIGPIPE);
    ::pthread_sigmask(SIG_UNBLOCK, &pipe_only, nullptr);
}

LEAT_TEST("a reader that goes away while a writer waits ends the wait with an error", on(kernel)) {
    auto [reader, writer] = leat::make_pipe();
    const std::string text(1'000'000, 'x');
    auto sender = leat::spawn([&]() { return error_of(writer.send_all(text)); });
    co_await leat::yield();
    reader.close();
    const std::error_code ended = co_await sender;
    CHECK(ended == std::errc::broken_pipe);
}

LEAT_TEST("closing or moving away an end ends the operation under way with an error", on(kernel)) {
    for (const bool destroy : {false, true}) {
        auto [made, writer] = leat::make_pipe();
        std::optional<leat::pipe_reader> reader(std::move(made));
        auto waiting = leat::spawn([&]() { return error_of(receive_one(*reader)); });
        co_await leat::yield();
        destroy ? reader.reset() : reader->close();
        const std::error_code ended = co_await waiting;
        CHECK(ended == std::errc::operation_canceled);
        if (!destroy) {
            CHECK_FALSE(reader->is_open());
            const std::error_code later = co_await error_of(receive_one(*reader));
            CHECK(later == leat::stream_errc::closed);
        }
        writer.close();
        const std::error_code sent = co_await error_of(writer.send_all("x"));
        CHECK(sent == leat::stream_errc::closed);
    }
}

LEAT_TEST("shared ends keep their flags, and block nobody, however much goes through", on(kernel)) {
    const shared_pipe both = blocking_pipe();
    leat::pipe_reader reader = leat::pipe_reader::from_shared_fd(both.out.get());
    leat::pipe_writer writer = leat::pipe_writer::from_shared_fd(both.in.get());
    const std::string text = numbered(1'000'000);
    auto sender = leat::spawn([&]() { return writer.send_all(text); });
    std::string arrived(text.size(), ' ');
    co_await reader.recv_exactly(arrived);
    co_await sender;
    CHECK(arrived == text);
    CHECK((::fcntl(both.out.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK((::fcntl(both.in.get(), F_GETFL) & O_NONBLOCK) == 0);
    const bool more = (co_await leat::move_on_after(1us, reader.recv(arrived))).has_value();
    CHECK_FALSE(more);
}

LEAT_TEST("a regular file as standard input or output is read and written through", on(kernel)) {
    char name[] = "/tmp/leat_pipe_test_XXXXXX";
    const leat::fd file(::mkostemp(name, O_CLOEXEC));
    REQUIRE(::unlink(name) == 0);
    leat::pipe_writer writer = leat::pipe_writer::from_shared_fd(file.get());
    const std::string text = numbered(100'000);
    co_await writer.send_all(text);
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    leat::pipe_reader reader = leat::pipe_reader::from_shared_fd(file.get());
    const std::string arrived = co_await read_pipe_to_end(reader);
    CHECK(arrived == text);
    const leat::chunk last = co_await reader.recv_chunk();
    CHECK(last.empty());
}

TEST_CASE("the standard streams of a process are read and written as ends that it shares") {
    const auto ended = leat::testing::run_in_child([] {
        shared_pipe told = blocking_pipe();
        REQUIRE(::dup2(told.out.get(), STDIN_FILENO) == STDIN_FILENO);
        REQUIRE(::dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO);
        REQUIRE(::write(told.in.get(), "input", 5) == 5);
        told.in.reset();
        leat::run([]() -> leat::task<> {
            leat::pipe_reader input = leat::pipe_reader::standard_input();
            leat::pipe_writer output = leat::pipe_writer::standard_output();
            leat::pipe_writer errors = leat::pipe_writer::standard_error();
            const std::string arrived = co_await read_pipe_to_end(input);
            co_await output.send_all(arrived);
            co_await errors.send_all(" and errors");
        });
    });
    CHECK(ended.status == 0);
    CHECK(ended.errors == "input and errors");
}

LEAT_TEST("of a length beyond 31 and 32 bits a pipe takes what fits, and gives what there is", on(kernel)) {
    const test_support::mapped_memory memory(test_support::four_gigabytes + 7);
    for (const std::size_t length : test_support::long_lengths) {
        const std::span<std::byte> bytes = memory.bytes().first(length);
        auto [reader, writer] = leat::make_pipe();
        const std::size_t taken = co_await writer.send(bytes);
        CHECK(taken > 0);
        CHECK(taken < length);
        const bool whole = co_await leat::move_on_after(1ms, writer.send_all(bytes));
        CHECK_FALSE(whole);
        const bool filled = co_await leat::move_on_after(1ms, reader.recv_exactly(bytes));
        CHECK_FALSE(filled);
        const std::size_t count = co_await reader.recv(bytes);
        CHECK(count == taken);
    }
}

LEAT_TEST("from_fd takes a descriptor over, and names one that is none", on(kernel)) {
    shared_pipe both = blocking_pipe();
    const int number = both.in.get();
    leat::pipe_writer writer = leat::pipe_writer::from_fd(both.in.release());
    CHECK(writer.native_handle() == number);
    CHECK((::fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
    co_await writer.send_all("x");
    CHECK_THROWS_AS((void)leat::pipe_reader::from_fd(999'999), std::system_error);
    CHECK_THROWS_AS((void)leat::pipe_reader::from_shared_fd(999'999), std::system_error);
}

TEST_CASE("an end of a pipe that outlives its run still closes") {
    leat::pipe_reader kept;
    leat::run([&]() -> leat::task<> {
        auto [reader, writer] = leat::make_pipe();
        kept = std::move(reader);
        co_return;
    });
    CHECK(kept.is_open());
    kept.close();
    CHECK_FALSE(kept.is_open());
}
