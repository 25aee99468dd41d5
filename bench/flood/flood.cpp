// SPDX-License-Identifier: MIT
//
// Clients of an HTTP server for `bench/run flood`. A few ask again and again for a small file, and their
// times are taken: first alone, then beside idle connections, clients that send a head byte by byte, clients
// that never read, and a flood of connections that are reset. It prints a line of JSON at the end of both
// times, and between them `flooded`, when all others are there.
//
//   flood --port PORT --idle N --slow N --deaf N --resets N (a second) --seconds N
#include <leat/net.hpp>
#include <leat/race.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace std::chrono_literals;

namespace {

constexpr int asking = 20;                // clients whose times are taken
constexpr auto between = 20ms;            // two of their questions
constexpr int kept_for = 10;              // questions on one connection
constexpr int from_one_address = 10'000;  // connections: one address has some 28,000 ports

constexpr std::string_view small_file = "GET /small HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view large_file = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";

struct load {
    int port = 8006;
    int idle = 10'000;
    int slow = 1'000;
    int deaf = 1'000;
    int resets = 3'000;
    int seconds = 10;
};

struct counts {
    int connected = 0;  // all of them
    int refused = 0;    // connections that failed, and were tried again
    int slow_ended = 0, deaf_ended = 0, resets = 0;
};

struct times {
    std::vector<double> of_kept, of_new;  // ms, of questions on connections that were there, and with one
    int failed = 0;
};

// The next of several addresses of this machine, for a connection from any port of it.
std::string next_address(counts& all) {
    const int number = all.connected++ / from_one_address;
    return "127.0.1." + std::to_string(number % 200 + 1);
}

leat::task<leat::tcp_stream> connect(const load& wanted, counts& all) {
    return leat::tcp_stream::connect({"127.0.0.1", wanted.port},
                                     {.local = leat::endpoint(next_address(all), 0)});
}

sockaddr_in ip_address(const char* text, int port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, text, &made.sin_addr);
    return made;
}

// With little room for what comes, and in segments of Ethernet's size: for the large ones of the loopback
// interface the kernel takes 4 MiB of an answer, and a thousand of them are all that it has for TCP.
leat::tcp_stream connect_deaf(const load& wanted, counts& all) {
    leat::fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int room = 4096;
    const int segment = 1460;
    ::setsockopt(made.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    ::setsockopt(made.get(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    const sockaddr_in from = ip_address(next_address(all).c_str(), 0);
    const sockaddr_in to = ip_address("127.0.0.1", wanted.port);
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(made.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw std::system_error(errno, std::generic_category());
    }
    return leat::tcp_stream::from_fd(made.release());
}

// Until the small file has come.
leat::task<> ask(leat::tcp_stream& server) {
    co_await server.send_all(small_file);
    std::string answer;
    while (!answer.ends_with("\r\n\r\nsmall")) {
        const leat::chunk piece = co_await server.recv_chunk();
        if (piece.empty()) {
            throw std::system_error(std::make_error_code(std::errc::connection_aborted));
        }
        answer += piece.text();
    }
}

leat::task<> measure(const load& wanted, counts& all, times& taken) {
    for (;;) {
        leat::tcp_stream server;
        for (int question = 0; question < kept_for; ++question) {
            const leat::time_point before = leat::now();
            const auto done = co_await leat::as_result([&]() -> leat::task<> {
                if (!server.is_open()) {
                    server = co_await connect(wanted, all);
                }
                co_await ask(server);
            }());
            const double ms = std::chrono::duration<double, std::milli>(leat::now() - before).count();
            if (!done.ok()) {
                ++taken.failed;
                break;
            }
            (question == 0 ? taken.of_new : taken.of_kept).push_back(ms);
            co_await leat::sleep(between);
        }
    }
}

// Goes on in the way of `one` whenever its connection has failed or ended.
template <typename One>
leat::task<> again_and_again(counts& all, int& ended, One one) {
    for (;;) {
        const auto done = co_await leat::as_result(one());
        ++(done.ok() ? ended : all.refused);
        co_await leat::sleep(10ms);
    }
}

leat::task<> be_idle(const load& wanted, counts& all, int& there) {
    leat::tcp_stream server = co_await connect(wanted, all);
    co_await ask(server);
    ++there;
    (void)co_await server.recv_chunk();
    --there;
}

leat::task<> be_slow(const load& wanted, counts& all, int& there) {
    leat::tcp_stream server = co_await connect(wanted, all);
    co_await server.send_all("GET /small HTTP/1.1\r\nHost: a\r\nX: ");
    ++there;
    const auto dribble = [&]() -> leat::task<> {
        for (;;) {
            co_await leat::sleep(1s);
            co_await server.send_all("x");
        }
    };
    const auto end = [&]() -> leat::task<> { (void)co_await server.recv_chunk(); };
    co_await leat::race(end, dribble);
    --there;
}

leat::task<> be_deaf(const load& wanted, counts& all, int& there) {
    leat::tcp_stream server = connect_deaf(wanted, all);
    co_await server.send_all(large_file);
    ++there;
    co_await leat::sleep(1h);
}

leat::task<> reset(const load& wanted, counts& all, int each_second) {
    leat::time_point next = leat::now();
    for (;;) {
        next += std::chrono::nanoseconds(1s) / each_second;
        co_await leat::sleep_until(next);
        const auto done = co_await leat::as_result([&]() -> leat::task<> {
            leat::tcp_stream server = co_await connect(wanted, all);
            server.set_reset_on_close();
            co_await server.send_all(all.resets % 2 == 0 ? small_file : small_file.substr(0, 20));
            ++all.resets;
        }());
        all.refused += done.ok() ? 0 : 1;
    }
}

void print_times(const char* name, std::vector<double>& all) {
    std::sort(all.begin(), all.end());
    const auto at = [&](double share) {
        return all.empty() ? 0.0
                           : all[std::min(all.size() - 1, static_cast<std::size_t>(share * all.size()))];
    };
    std::printf(R"("%s": {"count": %zu, "p50": %.3f, "p99": %.3f, "p999": %.3f, "max": %.3f}, )", name,
                all.size(), at(0.5), at(0.99), at(0.999), at(1));
}

leat::task<> take_times(const load& wanted, counts& all) {
    times taken;
    const int resets = all.resets;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (int i = 0; i < asking; ++i) {
            group.spawn(measure(wanted, all, taken));
        }
        co_await leat::sleep(std::chrono::seconds(wanted.seconds));
        group.cancel();
    });
    std::printf("{");
    print_times("kept", taken.of_kept);
    print_times("new", taken.of_new);
    std::printf(R"("failed": %d, "resets": %d, "refused": %d, "slow_ended": %d, "deaf_ended": %d})"
                "\n",
                taken.failed, all.resets - resets, all.refused, all.slow_ended, all.deaf_ended);
    std::fflush(stdout);
}

leat::task<> flood(load wanted) {
    counts all;
    co_await take_times(wanted, all);
    int idle = 0, slow = 0, deaf = 0, none = 0;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (int i = 0; i < wanted.idle; ++i) {
            group.spawn(again_and_again(all, none, [&] { return be_idle(wanted, all, idle); }));
            while (i - idle > 100) {  // a queue of connections has an end
                co_await leat::sleep(1ms);
            }
        }
        for (int i = 0; i < wanted.slow; ++i) {
            group.spawn(again_and_again(all, all.slow_ended, [&] { return be_slow(wanted, all, slow); }));
        }
        for (int i = 0; i < wanted.deaf; ++i) {
            group.spawn(again_and_again(all, all.deaf_ended, [&] { return be_deaf(wanted, all, deaf); }));
        }
        while (idle < wanted.idle || slow < wanted.slow || deaf < wanted.deaf) {
            co_await leat::sleep(10ms);
        }
        for (int i = 0; i < 10; ++i) {
            group.spawn(reset(wanted, all, wanted.resets / 10));
        }
        std::printf("flooded\n");
        std::fflush(stdout);
        co_await take_times(wanted, all);
        group.cancel();
    });
}

}  // namespace

int main(int argc, char** argv) {
    load wanted;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::pair<std::string_view, int*> options[] = {
            {"--port", &wanted.port}, {"--idle", &wanted.idle},     {"--slow", &wanted.slow},
            {"--deaf", &wanted.deaf}, {"--resets", &wanted.resets}, {"--seconds", &wanted.seconds}};
        for (const auto& [known, value] : options) {
            if (name == known) {
                *value = std::atoi(argv[i + 1]);
            }
        }
    }
    return leat::run_main([wanted] { return flood(wanted); });
}
