// SPDX-License-Identifier: MIT
#include <leat/http/core/accept_encoding.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace leat::http::detail {
namespace {

// "1", "0.25", "1.000": in thousandths (RFC 9110 12.4.2).
std::optional<int> read_weight(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
        (text.size() > 1 && text[1] != '.')) {
        return std::nullopt;
    }
    int weight = (text[0] - '0') * 1000;
    int unit = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (!is_digit(c)) {
            return std::nullopt;
        }
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

// Of "gzip;q=0.5", behind its name; 1000 without one.
std::optional<int> weight_of(std::string_view parameters) noexcept {
    parameters = trim(parameters);
    if (parameters.empty()) {
        return 1000;
    }
    parameters = trim(parameters.substr(1));
    return parameters.size() > 2 && equal_ignoring_case(parameters.substr(0, 2), "q=")
               ? read_weight(parameters.substr(2))
               : std::nullopt;
}

}  // namespace

int wish_for(const headers& fields, std::string_view coding) noexcept {
    int any = 0;
    for (const auto field : fields) {
        if (!equal_ignoring_case(field.name, "Accept-Encoding")) {
            continue;
        }
        std::string_view list = field.value;
        for (auto element = next_element(list); !element.empty(); element = next_element(list)) {
            const std::size_t end = std::min(element.find(';'), element.size());
            const std::string_view name = trim(element.substr(0, end));
            const auto weight = weight_of(element.substr(end));
            if (weight && equal_ignoring_case(name, coding)) {
                return *weight;
            }
            any = weight && name == "*" ? *weight : any;
        }
    }
    return any;
}

three_codings wanted_codings(const headers& fields, const three_codings& offered) noexcept {
    std::array<int, 3> wishes{};
    three_codings wanted;
    for (std::size_t i = 0; i < offered.size(); ++i) {
        int wish = offered[i].empty() ? 0 : wish_for(fields, offered[i]);
        std::string_view coding = offered[i];
        for (std::size_t at = 0; at <= i && wish > 0; ++at) {
            if (wish > wishes[at]) {
                std::swap(wish, wishes[at]);
                std::swap(coding, wanted[at]);
            }
        }
    }
    return wanted;
}

}  // namespace leat::http::detail
