// SPDX-License-Identifier: MIT
#include <leat/observe/core/counting_backend.hpp>

namespace leat::detail {

const char* name_of(operation_kind kind) noexcept {
    switch (kind) {
        case operation_kind::accept:
            return "accept";
        case operation_kind::recv:
            return "recv";
        case operation_kind::recv_chunk:
            return "recv_chunk";
        case operation_kind::recv_datagram:
            return "recv_datagram";
        case operation_kind::recv_datagrams:
            return "recv_datagrams";
        case operation_kind::readable:
            return "readable";
        case operation_kind::connect:
            return "connect";
        case operation_kind::send:
            return "send";
        case operation_kind::send_vectors:
            return "send_vectors";
        case operation_kind::send_datagram:
            return "send_datagram";
        case operation_kind::send_datagrams:
            return "send_datagrams";
        case operation_kind::writable:
            return "writable";
        case operation_kind::file:
            return "file";
    }
    return "";
}

void counting_backend::add_bytes(const operation& completed) noexcept {
    const std::int64_t moved = completed.result >= 0 ? completed.result : completed.transferred;
    switch (completed.action) {
        case operation_kind::recv:
        case operation_kind::recv_chunk:
        case operation_kind::recv_datagram:
            counts_.bytes_in += static_cast<std::uint64_t>(moved);
            break;
        case operation_kind::send:
        case operation_kind::send_vectors:
        case operation_kind::send_datagram:
            counts_.bytes_out += static_cast<std::uint64_t>(moved);
            break;
        case operation_kind::recv_datagrams:
            counts_.bytes_in += static_cast<std::uint64_t>(completed.transferred);
            break;
        case operation_kind::send_datagrams:
            counts_.bytes_out += static_cast<std::uint64_t>(completed.transferred);
            break;
        case operation_kind::accept:
        case operation_kind::readable:
        case operation_kind::connect:
        case operation_kind::writable:
        case operation_kind::file:
            break;
    }
}

bool counting_backend::submit(operation& op) {
    ++counts_.by_kind[static_cast<std::size_t>(op.action)];
    if (!inner_->submit(op)) {
        return false;
    }
    add_bytes(op);
    return true;
}

file_start counting_backend::start_file(file_operation& op) {
    ++counts_.by_kind[static_cast<std::size_t>(op.action)];
    return inner_->start_file(op);
}

bool counting_backend::cancel(operation& op) noexcept {
    if (!inner_->cancel(op)) {
        return false;
    }
    add_bytes(op);
    return true;
}

void counting_backend::collect(time_point deadline, list<operation>& done) {
    list<operation> collected;
    inner_->collect(deadline, collected);
    for (operation* op = collected.first(); op != nullptr; op = collected.next(*op)) {
        add_bytes(*op);
    }
    done.append(collected);
}

}  // namespace leat::detail
