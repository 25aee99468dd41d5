// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/hosts.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <stdexcept>

namespace leat {

namespace {

socket_name parsed(const std::string& text) {
    const std::optional<socket_name> name = socket_name::parse(text);
    if (!name.has_value() || name->is_any()) {
        throw std::invalid_argument("\"" + text + "\" is not the address of a host");
    }
    return *name;
}

std::vector<socket_name> parsed(const std::vector<std::string>& texts) {
    std::vector<socket_name> names;
    std::transform(texts.begin(), texts.end(), std::back_inserter(names),
                   [](const std::string& each) { return parsed(each); });
    return names;
}

std::string lower(std::string_view name) {
    std::string made(name.substr(0, name.ends_with('.') ? name.size() - 1 : name.size()));
    std::transform(made.begin(), made.end(), made.begin(), [](char each) {
        return each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each;
    });
    return made;
}

}  // namespace

void simulated_host::choose_by(chooser current, ender end_tasks) noexcept {
    all_.chooser = current;
    all_.end_tasks = end_tasks;
}

const socket_name* host_place::address_of_family(bool ipv4) const noexcept {
    const auto found = std::find_if(addresses.begin(), addresses.end(),
                                    [=](const socket_name& each) { return each.is_ipv4() == ipv4; });
    return found != addresses.end() ? &*found : nullptr;
}

bool host_place::has(const socket_name& name) const noexcept {
    return name.is_loopback() || std::any_of(addresses.begin(), addresses.end(),
                                             [&](const socket_name& each) { return each.ip == name.ip; });
}

simulated_host& simulated_hosts::add(std::string name, std::vector<std::string> addresses) {
    const int number = number_of_hosts();
    if (addresses.empty() && number > 0) {
        addresses = unused_addresses();
    }
    const std::vector<socket_name> read = parsed(addresses);
    for (const host_place& other : places_) {
        if (lower(other.host.name()) == lower(name)) {
            throw std::invalid_argument("there is a host \"" + name + "\" already");
        }
        for (std::size_t at = 0; at < read.size(); ++at) {
            if (other.has(read[at])) {
                throw std::invalid_argument("the host \"" + other.host.name() + "\" has the address " +
                                            addresses[at] + " already");
            }
        }
    }
    if (number > 0) {
        names_[lower(name)] = read;
    }
    host_place& made = places_.emplace_back(*this, number, std::move(name), std::move(addresses));
    made.addresses = read;
    return made.host;
}

std::vector<std::string> simulated_hosts::unused_addresses() const {
    for (int tried = number_of_hosts();; ++tried) {
        const std::string net = std::to_string(tried / 250);
        const std::string one = std::to_string(1 + tried % 250);
        std::vector<std::string> found = {"10.0." + net + "." + one, "fd00::" + net + ":" + one};
        if (std::none_of(found.begin(), found.end(),
                         [&](const std::string& each) { return find(0, parsed(each)) >= 0; })) {
            return found;
        }
    }
}

void simulated_hosts::add_name(std::string_view name, const std::vector<std::string>& addresses) {
    std::vector<socket_name> read = parsed(addresses);
    if (read.empty()) {
        names_.erase(lower(name));
    } else {
        names_[lower(name)] = std::move(read);
    }
}

int simulated_hosts::find(int from, const socket_name& name) const noexcept {
    if (name.is_path() || name.is_loopback()) {
        return from;
    }
    const auto found =
        std::find_if(places_.begin(), places_.end(), [&](const host_place& each) { return each.has(name); });
    return found != places_.end() ? found->host.number() : -1;
}

const std::vector<socket_name>* simulated_hosts::find_name(std::string_view name) const {
    const auto found = names_.find(lower(name));
    return found != names_.end() ? &found->second : nullptr;
}

host_place& simulated_hosts::current() noexcept {
    const simulated_host* const chosen = chooser != nullptr ? chooser() : nullptr;
    return at(chosen != nullptr ? number_of(*chosen) : 0);
}

int simulated_hosts::number_of(const simulated_host& host) const noexcept {
    check(&host.all() == this, "a host is used with the simulation that it belongs to");
    return host.number();
}

}  // namespace leat
