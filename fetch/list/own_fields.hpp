// SPDX-License-Identifier: MIT
// own_fields: the fields of a request that nobody may give, because leat-fetch sets them itself, or because
// they would make a wrong file. For -H and for header= of lists.
#pragma once

#include <string>
#include <string_view>

namespace fetch {

// Why a field of this name cannot be given, in one line, with the option that does what it is given for;
// empty: it can.
[[nodiscard]] std::string mistake_of_field(std::string_view name);

}  // namespace fetch
