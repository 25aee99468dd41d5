// SPDX-License-Identifier: MIT
// Bytes as a program on the simulation: they decide what is connected, sent, received, cancelled, ended and
// closed, in which order, and how the network behaves. Whatever happens, bytes arrive in order, none is lost,
// doubled or invented, nothing hangs, and no socket is left open.
#include <leat/check.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using fuzz::cancel_and_join;
using fuzz::choices;
using fuzz::some_task;
using leat::check;

namespace {

// One end of a connection, and what its tasks do there.
struct side {
    leat::tcp_stream stream;
    some_task sending;
    some_task receiving;
    std::uint64_t received = 0;
    bool ended = false;      // the end, or an error, has been received
    bool tail_lost = false;  // a recv_exactly met the end, and does not give what it had
};

struct connection {
    side sides[2];
    unsigned number;
};

// What is sent at `offset` of that direction.
char byte_at(const connection& link, int from, std::uint64_t offset) {
    return static_cast<char>(offset * 7 + offset / 251 + link.number * 31 +
                             static_cast<unsigned>(from) * 101);
}

void note_received(connection& link, int at, const char* bytes, std::size_t count) {
    side& here = link.sides[at];
    check(count == 0 || !here.ended, "nothing comes behind the end");
    for (std::size_t i = 0; i < count; ++i) {
        check(bytes[i] == byte_at(link, 1 - at, here.received), "bytes come in order");
        ++here.received;
    }
}

void note_error(connection& link, int at, std::error_code error, bool receiving) {
    const bool known = error == leat::stream_errc::closed || error == leat::stream_errc::broken ||
                       error == leat::stream_errc::end_of_stream || error == std::errc::broken_pipe ||
                       error == std::errc::connection_reset || error == std::errc::operation_canceled;
    check(known, "an operation fails only with what can happen to a connection");
    link.sides[at].ended |= receiving;
    link.sides[at].tail_lost |= error == leat::stream_errc::end_of_stream;
}

leat::task<> send_some(connection& link, int at, std::size_t count, unsigned how) {
    leat::tcp_stream& stream = link.sides[at].stream;
    std::string text(count, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        text[i] = byte_at(link, at, stream.bytes_sent() + i);
    }
    std::error_code error;
    if (how == 0) {
        const auto sent = co_await leat::as_result(stream.send(text));
        error = sent.error();
    } else if (how == 1) {
        const auto sent = co_await leat::as_result(stream.send_all(text));
        error = sent.error();
    } else {
        const std::string_view all(text);
        const auto sent = co_await leat::as_result(
            stream.send_all(all.substr(0, count / 3), std::string_view(), all.substr(count / 3)));
        error = sent.error();
    }
    if (error) {
        note_error(link, at, error, false);
    }
}

leat::task<> receive_some(connection& link, int at, std::size_t count, unsigned how) {
    leat::tcp_stream& stream = link.sides[at].stream;
    std::vector<char> bytes(count);
    std::error_code error;
    if (how == 0 && count != 0) {
        const auto got = co_await leat::as_result(stream.recv(bytes));
        error = got.error();
        if (got.ok()) {
            note_received(link, at, bytes.data(), *got);
            link.sides[at].ended |= *got == 0;
        }
    } else if (how <= 1) {
        const auto got = co_await leat::as_result(stream.recv_exactly(bytes));
        error = got.error();
        if (got.ok()) {
            note_received(link, at, bytes.data(), count);
        }
    } else {
        const auto got = co_await leat::as_result(stream.recv_chunk());
        error = got.error();
        if (got.ok()) {
            note_received(link, at, got->text().data(), got->size());
            link.sides[at].ended |= got->size() == 0;
        }
    }
    if (error) {
        note_error(link, at, error, true);
    }
}

// A listener, its connections, and the tasks that make them.
class world {
public:
    explicit world(choices& decide) : decide_(decide) { accept_again(); }

    leat::task<> step() {
        switch (decide_.below(8)) {
            case 0:
                if (connecting_.size() < 8) {
                    connecting_.emplace_back(leat::spawn([this] { return connect_one(); }));
                }
                break;
            case 1:
                co_await leat::yield();
                break;
            case 2:
                co_await leat::sleep(std::chrono::microseconds(decide_.byte() * decide_.byte()));
                break;
            case 3:
                co_await stop_connecting_or_accepting();
                break;
            default:
                match();
                if (!links_.empty()) {
                    co_await use(*links_[decide_.below(links_.size())]);
                }
                break;
        }
    }

    // No more is cancelled or closed: what is under way comes to its end.
    leat::task<> settle() {
        for (some_task& one : connecting_) {
            co_await cancel_and_join(one);
        }
        co_await cancel_and_join(accepting_);
        match();
        for (const auto& link : links_) {
            for (side& each : link->sides) {
                co_await cancel_and_join(each.sending);
                co_await cancel_and_join(each.receiving);
            }
            if (link->sides[0].stream.is_open() && link->sides[1].stream.is_open()) {
                co_await drain(*link);
            }
        }
    }

private:
    void accept_again() {
        accepting_.emplace(leat::spawn([this]() -> leat::task<> {
            for (;;) {
                accepted_.push_back(co_await listener_.accept());
            }
        }));
    }
    leat::task<> connect_one() {
        auto connected = co_await leat::as_result(leat::tcp_stream::connect(listener_.local_endpoint()));
        check(connected.ok(), "who listens can be connected to");
        clients_.push_back(std::move(*connected));
    }
    leat::task<> stop_connecting_or_accepting() {
        if (!connecting_.empty() && decide_.below(2) == 0) {
            co_await cancel_and_join(connecting_[decide_.below(connecting_.size())]);
        } else {
            co_await cancel_and_join(accepting_);
            accept_again();
        }
    }

    // Puts the two ends of each connection together.
    void match() {
        for (auto client = clients_.begin(); client != clients_.end();) {
            const auto server = std::find_if(accepted_.begin(), accepted_.end(), [&](const auto& each) {
                return each.remote_endpoint() == client->local_endpoint();
            });
            if (server == accepted_.end()) {
                ++client;
                continue;
            }
            links_.push_back(std::make_unique<connection>());
            links_.back()->number = static_cast<unsigned>(links_.size());
            links_.back()->sides[0].stream = std::move(*client);
            links_.back()->sides[1].stream = std::move(*server);
            accepted_.erase(server);
            client = clients_.erase(client);
        }
    }

    leat::task<> use(connection& link) {
        const int at = static_cast<int>(decide_.below(2));
        side& here = link.sides[at];
        const unsigned action = decide_.below(16);
        const std::size_t count = decide_.size();
        const unsigned how = decide_.below(3);
        const leat::duration limit =
            decide_.below(4) == 0 ? std::chrono::microseconds(decide_.byte()) : leat::duration::max();
        if (action < 6) {
            if (!here.sending.has_value() || here.sending->done()) {
                here.sending.emplace(leat::spawn([=, &link]() -> leat::task<> {
                    (void)co_await leat::move_on_after(limit, send_some(link, at, count, how));
                }));
            }
        } else if (action < 12) {
            if ((!here.receiving.has_value() || here.receiving->done()) && !here.ended) {
                here.receiving.emplace(leat::spawn([=, &link]() -> leat::task<> {
                    (void)co_await leat::move_on_after(limit, receive_some(link, at, count, how));
                }));
            }
        } else if (action == 12) {
            co_await cancel_and_join(here.sending);
        } else if (action == 13) {
            co_await cancel_and_join(here.receiving);
        } else if (action == 14 && here.stream.is_open()) {
            here.stream.shutdown_send();
        } else if (action == 15 && how == 0) {
            if (here.stream.is_open() && limit < leat::duration::max()) {
                here.stream.set_reset_on_close();
            }
            here.stream.close();
        }
    }

    // Both sides end; what either has sent arrives.
    static leat::task<> drain(connection& link) {
        link.sides[0].stream.shutdown_send();
        link.sides[1].stream.shutdown_send();
        for (int at = 0; at < 2; ++at) {
            side& here = link.sides[at];
            while (!here.ended) {
                co_await receive_some(link, at, 1000, 2);
            }
            check(here.tail_lost || here.received == link.sides[1 - at].stream.bytes_sent(),
                  "what was sent on an open connection has come, and nothing else");
        }
    }

    choices& decide_;
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
    some_task accepting_;
    std::vector<some_task> connecting_;
    std::vector<leat::tcp_stream> clients_;
    std::vector<leat::tcp_stream> accepted_;
    std::vector<std::unique_ptr<connection>> links_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    choices decide(data, size);
    leat::simulation_options how{.seed = decide.byte()};
    how.faults.short_transfer = decide.chance();
    how.faults.late_start = decide.chance();
    how.faults.late_completion = decide.chance();
    how.faults.late_cancel = decide.chance();
    how.faults.delay = std::chrono::microseconds(decide.byte());
    how.latency = std::chrono::microseconds(decide.byte() * 4);
    how.send_buffer = how.receive_buffer = std::size_t{1} << (6 + decide.below(10));
    leat::simulation network(how);
    leat::testing::run_simulated(network,
                                 [&]() -> leat::task<> {
                                     world all(decide);
                                     while (decide.left()) {
                                         co_await all.step();
                                     }
                                     co_await all.settle();
                                 },
                                 {.report = fuzz::nothing_is_reported});
    check(network.open_sockets() == 0, "no socket is left open");
    return 0;
}
