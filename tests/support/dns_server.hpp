// SPDX-License-Identifier: MIT
// dns_server: a DNS server on loopback, over UDP and TCP, for tests inside run(). It answers from what the
// test has told it, holds answers back until it is told to give them, and counts what it was asked.
#pragma once

#include <leat/io.hpp>
#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/tcp.hpp>
#include <leat/udp.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace leat::testing {

enum class dns_type : std::uint16_t { a = 1, cname = 5, soa = 6, aaaa = 28 };

enum class dns_rcode : std::uint8_t {
    no_error = 0,
    format_error = 1,
    server_failure = 2,
    name_error = 3,
    not_implemented = 4,
    refused = 5
};

struct dns_reply {
    enum class manner {
        plain,
        held,            // until the next release()
        silent,          // never
        spoofed,         // after a wrong answer from the right server: its id is another query's
        truncated,       // over UDP only the start, so that the client comes again over TCP
        malformed,       // ends inside an address
        short_address,   // its addresses are a byte short, and so is their length
        short_over_tcp,  // the same, over UDP as truncated
        cut_off,         // over TCP the connection ends midway; over UDP as truncated
    };

    std::vector<address> addresses = {};
    std::string alias = {};  // the name is an alias of this, and the addresses belong to that
    dns_rcode rcode = dns_rcode::no_error;
    manner how = manner::plain;
    unsigned holds = 0;  // seconds: the time to live of each record; without addresses that of a SOA record
    unsigned alias_holds = holds;  // that of the alias
    bool has_soa = true;
};

class dns_server {
public:
    // Serves until the end of run().
    dns_server() : state_(std::make_shared<state>()) {
        spawn(serve_datagrams, state_);
        spawn(serve_connections, state_);
    }

    // For resolve_options::servers.
    [[nodiscard]] const std::string& location() const noexcept { return state_->location; }

    // What is answered to `type` questions about `name`. A name without any is unknown; one without this
    // type has no such record.
    void set(const std::string& name, dns_type type, dns_reply reply) {
        state_->releasing &= reply.how != dns_reply::manner::held;
        state_->zone[name][type] = std::move(reply);
    }
    void set(const std::string& name, dns_reply reply) {
        set(name, dns_type::a, reply);
        set(name, dns_type::aaaa, std::move(reply));
    }

    // How many seconds it holds that a name or a type is unknown.
    void set_unknown(unsigned holds) { state_->unknown_holds = holds; }

    [[nodiscard]] int asked(const std::string& name, dns_type type) const {
        return state_->asked[name][type];
    }
    [[nodiscard]] int asked() const noexcept { return state_->asked_in_all; }
    [[nodiscard]] int asked_over_tcp() const noexcept { return state_->asked_over_tcp; }
    // From how many UDP ports.
    [[nodiscard]] std::size_t ports_seen() const noexcept { return state_->ports.size(); }
    // Waits until so many questions have come.
    task<> has_been_asked(int questions) {
        const time_point patience = after(now(), std::chrono::minutes(1));
        while (state_->asked_in_all < questions) {
            if (now() > patience) {
                throw std::runtime_error("the DNS server was asked " + std::to_string(state_->asked_in_all) +
                                         " questions, not " + std::to_string(questions));
            }
            co_await yield();
        }
    }

    // Gives the answers that are held, and holds no more until it is told to again.
    void release() {
        state_->releasing = true;
        for (const auto& [packet, to] : state_->held) {
            state_->send(packet, to);
        }
        state_->held.clear();
    }

private:
    using bytes = std::vector<std::uint8_t>;

    struct state {
        state() {
            // A port that is free for both: it is looked for until one is found.
            while (!udp.is_open()) {
                try {
                    udp = udp_socket::bind(tcp.local_endpoint());
                } catch (const std::system_error&) {
                    tcp = tcp_listener::bind({"127.0.0.1", 0});
                }
            }
            location = udp.local_endpoint().to_string();
        }
        // At once, so that release() need not wait.
        void send(const bytes& packet, const endpoint& to) const {
            (void)::sendto(udp.native_handle(), packet.data(), packet.size(), MSG_NOSIGNAL, to.data(),
                           to.size());
        }

        tcp_listener tcp = tcp_listener::bind({"127.0.0.1", 0});
        udp_socket udp;
        std::string location;
        std::map<std::string, std::map<dns_type, dns_reply>> zone;
        std::map<std::string, std::map<dns_type, int>> asked;
        unsigned unknown_holds = 0;
        int asked_in_all = 0;
        int asked_over_tcp = 0;
        std::set<int> ports;
        std::vector<std::pair<bytes, endpoint>> held;
        bool releasing = false;
    };

    struct question {
        std::string name;
        dns_type type;
        std::size_t end;  // of the question section
    };

    static question parse(const bytes& query) {
        question found{"", dns_type::a, header_size};
        while (query.at(found.end) != 0) {
            const std::size_t size = query.at(found.end);
            for (std::size_t i = 1; i <= size; ++i) {
                found.name += static_cast<char>(std::tolower(query.at(found.end + i)));
            }
            found.name += '.';
            found.end += 1 + size;
        }
        found.name.pop_back();
        found.type = static_cast<dns_type>(query.at(found.end + 1) << 8 | query.at(found.end + 2));
        found.end += 5;
        return found;
    }

    static void put(bytes& packet, std::initializer_list<unsigned> numbers) {
        for (const unsigned number : numbers) {
            packet.push_back(static_cast<std::uint8_t>(number >> 8));
            packet.push_back(static_cast<std::uint8_t>(number));
        }
    }

    static bytes encoded(const std::string& name) {
        bytes wire;
        for (std::size_t at = 0; at < name.size();) {
            const std::size_t dot = std::min(name.find('.', at), name.size());
            wire.push_back(static_cast<std::uint8_t>(dot - at));
            wire.insert(wire.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                        name.begin() + static_cast<std::ptrdiff_t>(dot));
            at = dot + 1;
        }
        wire.push_back(0);
        return wire;
    }

    static bytes answer(const bytes& query, const question& asked, const dns_reply& reply, bool whole) {
        const bool truncated = !whole;
        const std::size_t records = truncated ? 0 : reply.addresses.size() + (reply.alias.empty() ? 0 : 1);
        const bool has_soa = !truncated && reply.addresses.empty() && reply.has_soa;
        bytes packet(query.begin(), query.begin() + 2);
        put(packet, {0x8180U | (truncated ? 0x200U : 0U) | static_cast<unsigned>(reply.rcode), 1,
                     static_cast<unsigned>(records), has_soa ? 1U : 0U, 0});
        packet.insert(packet.end(), query.begin() + header_size,
                      query.begin() + static_cast<std::ptrdiff_t>(asked.end));
        if (truncated) {
            return packet;
        }
        bytes owner{0xc0, header_size};  // the name in the question
        if (!reply.alias.empty()) {
            const bytes target = encoded(reply.alias);
            packet.insert(packet.end(), owner.begin(), owner.end());
            put(packet, {static_cast<unsigned>(dns_type::cname), 1, 0, reply.alias_holds,
                         static_cast<unsigned>(target.size())});
            owner = target;
            packet.insert(packet.end(), target.begin(), target.end());
        }
        for (const address& each : reply.addresses) {
            const bool is_short = reply.how == dns_reply::manner::short_address ||
                                  reply.how == dns_reply::manner::short_over_tcp;
            const std::size_t size = (each.is_ipv4() ? 4U : 16U) - (is_short ? 1U : 0U);
            packet.insert(packet.end(), owner.begin(), owner.end());
            put(packet, {static_cast<unsigned>(each.is_ipv4() ? dns_type::a : dns_type::aaaa), 1, 0,
                         reply.holds, static_cast<unsigned>(size)});
            packet.insert(packet.end(), each.bytes().begin(),
                          each.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        }
        if (has_soa) {
            packet.insert(packet.end(), {0xc0, header_size});
            put(packet, {static_cast<unsigned>(dns_type::soa), 1, 0, reply.holds, 22});
            packet.insert(packet.end(), {0, 0});  // the names of its server and of who is responsible: roots
            put(packet, {0, 1, 0, 1, 0, 1, 0, 1, 0, longest_minimum});
        }
        if (reply.how == dns_reply::manner::malformed) {
            packet.resize(packet.size() - 2);
        }
        return packet;
    }

    // The reply to `query`, with only the addresses that fit its type.
    static dns_reply find_reply(state& self, const question& asked) {
        ++self.asked[asked.name][asked.type];
        ++self.asked_in_all;
        const auto known = self.zone.find(asked.name);
        if (known == self.zone.end()) {
            return {.rcode = dns_rcode::name_error, .holds = self.unknown_holds};
        }
        const auto found = known->second.find(asked.type);
        if (found == known->second.end()) {
            return {.holds = self.unknown_holds};
        }
        dns_reply reply = found->second;
        std::erase_if(reply.addresses,
                      [&](const address& each) { return each.is_ipv4() != (asked.type == dns_type::a); });
        return reply;
    }

    static void reply_to(state& self, const bytes& query, const endpoint& from) {
        const question asked = parse(query);
        const dns_reply reply = find_reply(self, asked);
        using enum dns_reply::manner;
        const bool whole = reply.how != truncated && reply.how != cut_off && reply.how != short_over_tcp;
        self.ports.insert(from.port());
        bytes packet = answer(query, asked, reply, whole);
        if (reply.how == held && !self.releasing) {
            self.held.emplace_back(std::move(packet), from);
            return;
        }
        if (reply.how == spoofed) {
            dns_reply wrong = reply;
            wrong.addresses = {address::parse("198.51.100.66")};
            bytes fake = answer(query, asked, wrong, whole);
            fake[0] ^= 1;
            self.send(fake, from);
        }
        if (reply.how != silent) {
            self.send(packet, from);
        }
    }

    static task<> serve_datagrams(std::shared_ptr<state> self) {
        for (;;) {
            bytes query(65'536);
            const datagram received = co_await self->udp.recv_from(query);
            query.resize(received.size);
            reply_to(*self, query, received.from);
        }
    }

    static task<> serve_connections(std::shared_ptr<state> self) {
        for (;;) {
            auto client = co_await as_result(self->tcp.accept());
            if (!client.ok()) {
                co_return;  // a test has made descriptors scarce
            }
            spawn(serve_connection, self, std::move(*client));
        }
    }

    static task<> serve_connection(std::shared_ptr<state> self, tcp_stream client) {
        for (;;) {
            bytes length(2);
            const auto begun = co_await as_result(client.recv_exactly(length));
            bytes query(static_cast<std::size_t>(length[0] << 8 | length[1]));
            const auto received = co_await as_result(client.recv_exactly(query));
            if (!begun.ok() || !received.ok()) {
                co_return;
            }
            ++self->asked_over_tcp;
            const question asked = parse(query);
            const dns_reply reply = find_reply(*self, asked);
            const bytes packet = answer(query, asked, reply, true);
            bytes framed;
            put(framed, {static_cast<unsigned>(packet.size())});
            framed.insert(framed.end(), packet.begin(), packet.end());
            if (reply.how == dns_reply::manner::cut_off) {
                framed.resize(framed.size() / 2);
            }
            const auto sent = co_await as_result(client.send_all(framed));
            if (!sent.ok() || reply.how == dns_reply::manner::cut_off) {
                co_return;
            }
        }
    }

    static constexpr std::uint8_t header_size = 12;
    static constexpr unsigned longest_minimum = 0xffff;  // seconds: `holds` is what counts

    std::shared_ptr<state> state_;
};

}  // namespace leat::testing
