// SPDX-License-Identifier: MIT
#include <leat/timeout.hpp>

namespace leat {

timed_out::timed_out() : system_error(std::make_error_code(std::errc::timed_out), "the deadline passed") {}

}  // namespace leat
