// SPDX-License-Identifier: MIT
// ascii_label: one label of a host name in the form that DNS knows (UTS #46, nontransitional, by libidn2).
// The URL parser calls it for labels that are not ASCII or begin with xn--.
#pragma once

#include <leat/result.hpp>

#include <string>
#include <string_view>

namespace leat::http::detail {

// "bücher" as "xn--bcher-kva", in lower case; several labels when `label` holds one of the other full stops.
// Fails with url_error::non_ascii_host when there is no such form, or when leat was built without libidn2;
// and with bad_host for an "xn--" label that decodes to nothing.
[[nodiscard]] result<std::string> ascii_label(std::string_view label);

}  // namespace leat::http::detail
