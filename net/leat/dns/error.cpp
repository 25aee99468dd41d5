// SPDX-License-Identifier: MIT
#include <leat/dns/error.hpp>

namespace leat {

namespace {

class category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "dns"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<dns_errc>(value)) {
            case dns_errc::no_such_host:
                return "no such host";
            case dns_errc::no_address:
                return "the host has no such address";
            case dns_errc::temporary_failure:
                return "temporary failure: no DNS server gave an answer";
            case dns_errc::timed_out:
                return "timed out: no DNS server answered";
            case dns_errc::refused:
                return "the DNS server refused to answer";
            case dns_errc::malformed_name:
                return "not a host name";
            case dns_errc::malformed_answer:
                return "the answer of the DNS server is malformed";
            case dns_errc::unsupported:
                return "built without DNS";
        }
        return "unknown DNS error";
    }

    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<dns_errc>(value)) {
            case dns_errc::timed_out:
                return std::errc::timed_out;
            case dns_errc::temporary_failure:
                return std::errc::resource_unavailable_try_again;
            case dns_errc::malformed_name:
                return std::errc::invalid_argument;
            case dns_errc::unsupported:
                return std::errc::not_supported;
            case dns_errc::no_such_host:
            case dns_errc::no_address:
            case dns_errc::refused:
            case dns_errc::malformed_answer:
                break;
        }
        return {value, *this};
    }
};

}  // namespace

const std::error_category& dns_category() noexcept {
    static const category instance;
    return instance;
}

}  // namespace leat
