// SPDX-License-Identifier: MIT
#include <leat/socks.hpp>

#include <leat/address.hpp>

#include <array>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace leat {
namespace {

constexpr char socks_version = 5;
constexpr char login_version = 1;
constexpr char no_login = 0;
constexpr char by_password = 2;
constexpr char connect_command = 1;
enum address_kind : char { ipv4 = 1, name = 3, ipv6 = 4 };

// What the proxy's reply means (RFC 1928 6).
std::errc meaning_of(char reply) noexcept {
    switch (reply) {
        case 2:
            return std::errc::permission_denied;
        case 3:
            return std::errc::network_unreachable;
        case 4:
            return std::errc::host_unreachable;
        case 5:
            return std::errc::connection_refused;
        case 6:
            return std::errc::timed_out;
        case 7:
            return std::errc::operation_not_supported;
        case 8:
            return std::errc::address_family_not_supported;
        default:
            return std::errc::io_error;
    }
}

char byte_of(unsigned number) noexcept {
    return static_cast<char>(static_cast<unsigned char>(number));
}

// A length, and the text of that length.
std::string counted(std::string_view text) {
    return byte_of(static_cast<unsigned>(text.size())) + std::string(text);
}

std::string address_bytes(const std::string& host) {
    const auto literal = address::try_parse(host);
    if (!literal) {
        return char(name) + counted(host);
    }
    const auto bytes = literal->bytes();
    return char(literal->is_ipv4() ? ipv4 : ipv6) +
           std::string(reinterpret_cast<const char*>(bytes.data()), literal->is_ipv4() ? 4 : 16);
}

class negotiation {
public:
    negotiation(tcp_stream& proxy, const std::string& host, int port)
        : proxy_(proxy), where_("connect to " + host + ":" + std::to_string(port) + " by SOCKS5") {}

    task<> log_in(std::string user, std::string password) {
        std::string offer{socks_version, 1, no_login};
        if (!user.empty()) {
            offer = {socks_version, 2, no_login, by_password};
        }
        co_await proxy_.send_all(offer);
        const std::array<char, 2> choice = co_await read<2>();
        if (choice[0] != socks_version) {
            fail(std::errc::protocol_error, "the proxy does not speak it");
        }
        if (choice[1] == no_login) {
            co_return;
        }
        if (choice[1] != by_password || user.empty()) {
            fail(std::errc::permission_denied, "the proxy accepts no way to log in that is offered");
        }
        const std::string login = login_version + counted(user) + counted(password);
        co_await proxy_.send_all(login);
        const std::array<char, 2> verdict = co_await read<2>();
        if (verdict[1] != 0) {
            fail(std::errc::permission_denied, "the proxy refuses the user or the password");
        }
    }

    task<> ask(std::string request) {
        co_await proxy_.send_all(request);
        const std::array<char, 4> reply = co_await read<4>();
        if (reply[0] != socks_version) {
            fail(std::errc::protocol_error, "the proxy does not speak it");
        }
        if (reply[1] != 0) {
            throw std::system_error(std::make_error_code(meaning_of(reply[1])), where_);
        }
        std::size_t size = 4;
        if (reply[3] == name) {
            const std::array<char, 1> length = co_await read<1>();
            size = static_cast<unsigned char>(length[0]);
        } else if (reply[3] == ipv6) {
            size = 16;
        } else if (reply[3] != ipv4) {
            fail(std::errc::protocol_error, "the proxy's reply is malformed");
        }
        std::array<char, 257> bound{};  // where it is bound to: of no use
        co_await proxy_.recv_exactly(std::span(bound).first(size + 2));
    }

private:
    template <std::size_t Size>
    task<std::array<char, Size>> read() {
        std::array<char, Size> bytes{};
        co_await proxy_.recv_exactly(std::span(bytes));
        co_return bytes;
    }
    [[noreturn]] void fail(std::errc code, const char* why) const {
        throw std::system_error(std::make_error_code(code), where_ + ": " + why);
    }

    tcp_stream& proxy_;
    std::string where_;
};

}  // namespace

task<tcp_stream> connect_by_socks5(tcp_stream proxy, std::string host, int port, std::string user,
                                   std::string password) {
    constexpr std::size_t most = 255;
    if (host.empty() || host.size() > most || user.size() > most || password.size() > most || port < 1 ||
        port > 65535) {
        throw std::invalid_argument(
            "SOCKS5 takes a port, and a host, a user and a password of up to 255 bytes");
    }
    negotiation with(proxy, host, port);
    co_await with.log_in(std::move(user), std::move(password));
    std::string request{socks_version, connect_command, 0};
    request += address_bytes(host);
    request += byte_of(static_cast<unsigned>(port) >> 8U);
    request += byte_of(static_cast<unsigned>(port));
    co_await with.ask(std::move(request));
    co_return proxy;
}

}  // namespace leat
