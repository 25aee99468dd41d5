// SPDX-License-Identifier: MIT
#include <leat/core/socket_stream.hpp>

#include <leat/core/pushback.hpp>
#include <leat/core/socket_opening.hpp>
#include <leat/framing/recv_line.hpp>
#include <leat/system/file.hpp>

namespace leat::detail {

void socket_stream::shutdown_send() {
    detail::shutdown_send(state());
}

task<std::optional<std::string>> socket_stream::recv_line(std::size_t limit) {
    return leat::recv_line(*this, limit);
}

task<std::optional<std::string>> socket_stream::recv_until(std::string_view delimiter, std::size_t limit) {
    return leat::recv_until(*this, delimiter, limit);
}

void socket_stream::unread(chunk&& bytes) {
    if (!is_open()) {
        throw std::system_error(stream_errc::closed, "unread");
    }
    state().check_used_at_home();
    check_no_receiver(state().has_receiver());
    give_back(state().returned, std::move(bytes));
}

std::size_t socket_stream::try_send_file(const file& from, std::uint64_t offset, std::size_t size) {
    return state().try_send_file(from.native_handle(), offset, size);
}

void socket_stream::set_option(int level, int name, int value) {
    set_int_option(state().descriptor, level, name, value);
}

}  // namespace leat::detail
