// SPDX-License-Identifier: MIT
#include <leat/fibre/blocking.hpp>

#include <system_error>

namespace leat::detail {

bool tells_of_refusal(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const fibre_cancelled&) {
        return true;
    } catch (const std::system_error& thrown) {
        return thrown.code() == std::errc::operation_canceled;
    } catch (...) {
        return false;
    }
}

}  // namespace leat::detail
