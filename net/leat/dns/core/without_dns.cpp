// SPDX-License-Identifier: MIT
// resolve() of a library that was built without c-ares: IP addresses and localhost
// work, other names say why they do not.
#include <leat/dns/resolve.hpp>

#include <leat/dns/core/host_name.hpp>

namespace leat {

task<std::vector<address>> resolve(std::string host, resolve_options options) {
    if (auto literal = detail::literal_answer(host, options.families)) {
        co_return std::move(*literal);
    }
    const std::string name = detail::name_to_ask(host);
    if (name == "localhost") {
        co_return detail::localhost_addresses({}, options.families);
    }
    throw std::system_error(name.empty() ? dns_errc::malformed_name : dns_errc::unsupported,
                            "resolve " + detail::printable(host));
}

}  // namespace leat
