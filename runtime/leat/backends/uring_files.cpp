// SPDX-License-Identifier: MIT
// How calls on files are written into entries of the submission queue. The kernel does at once what is in
// memory, and the rest on threads of its own.
#include <leat/backends/kernel_files.hpp>
#include <leat/backends/uring_backend.hpp>

#include <algorithm>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

namespace leat {

namespace {

constexpr std::size_t length_max = 0x7ffff000;  // of one read or write (read(2), NOTES)

// 0: there is none for this call.
std::uint8_t opcode_of(file_call call) noexcept {
    switch (call) {
        case file_call::open:
            return IORING_OP_OPENAT;
        case file_call::open_below:
            return IORING_OP_OPENAT2;
        case file_call::read:
            return IORING_OP_READ;
        case file_call::write:
            return IORING_OP_WRITE;
        case file_call::sync:
        case file_call::sync_data:
            return IORING_OP_FSYNC;
        case file_call::resize:
            return uring_abi::op_ftruncate;
        case file_call::allocate:
            return IORING_OP_FALLOCATE;
        case file_call::close:
            return IORING_OP_CLOSE;
        case file_call::look:
        case file_call::look_up:
            return IORING_OP_STATX;
        case file_call::rename:
            return IORING_OP_RENAMEAT;
        case file_call::remove:
            return IORING_OP_UNLINKAT;
        case file_call::link:
            return IORING_OP_LINKAT;
        case file_call::make_folder:
            return IORING_OP_MKDIRAT;
        case file_call::lock:
        case file_call::set_time:
        case file_call::set_extra:
        case file_call::store:
        case file_call::list:
            return 0;
    }
    return 0;
}

std::uint64_t address_of(const void* what) noexcept {
    return reinterpret_cast<std::uintptr_t>(what);
}

void transfer(const file_operation& op, io_uring_sqe& entry) noexcept {
    entry.addr = address_of(op.buffer);
    entry.len = static_cast<std::uint32_t>(std::min(op.length, length_max));
    entry.off = static_cast<std::uint64_t>(op.offset);
}

void look_at(io_uring_sqe& entry, int fd, const char* path, int flags, struct statx* about) noexcept {
    entry.fd = fd;
    entry.addr = address_of(path);
    entry.len = STATX_BASIC_STATS;
    entry.off = address_of(about);
    entry.statx_flags = static_cast<std::uint32_t>(flags);
}

void write_entry(const file_operation& op, io_uring_sqe& entry) noexcept {
    const int folder = op.path != nullptr && op.descriptor < 0 ? AT_FDCWD : op.descriptor;
    entry.fd = folder;
    entry.addr = address_of(op.path);
    switch (op.call) {
        case file_call::open:
            entry.len = op.mode;
            entry.open_flags = static_cast<std::uint32_t>(op.flags);
            break;
        case file_call::open_below:
            entry.len = sizeof *op.how;
            entry.off = address_of(op.how);
            break;
        case file_call::read:
        case file_call::write:
            transfer(op, entry);
            break;
        case file_call::sync_data:
            entry.fsync_flags = IORING_FSYNC_DATASYNC;
            break;
        case file_call::resize:
            entry.off = static_cast<std::uint64_t>(op.offset);
            break;
        case file_call::allocate:
            entry.off = static_cast<std::uint64_t>(op.offset);
            entry.addr = op.length;
            entry.len = static_cast<std::uint32_t>(op.flags);
            break;
        case file_call::look:
            look_at(entry, op.descriptor, "", AT_EMPTY_PATH, op.about);
            break;
        case file_call::look_up:
            look_at(entry, folder, op.path, op.flags, op.about);
            break;
        case file_call::rename:
            entry.rename_flags = static_cast<std::uint32_t>(op.flags);
            [[fallthrough]];
        case file_call::link:
            entry.len = static_cast<std::uint32_t>(folder);
            entry.off = address_of(op.target);
            break;
        case file_call::remove:
            entry.unlink_flags = static_cast<std::uint32_t>(op.flags);
            break;
        case file_call::make_folder:
            entry.len = op.mode;
            break;
        case file_call::sync:
        case file_call::close:
        case file_call::lock:
        case file_call::set_time:
        case file_call::set_extra:
        case file_call::store:
        case file_call::list:
            break;
    }
}

// A path of several names below a folder is followed by perform_file_call().
bool kernel_follows(const file_operation& op) noexcept {
    return op.path == nullptr || op.descriptor < 0 || op.call == file_call::open_below || stays_in_folder(op);
}

}  // namespace

file_start uring_backend::start_file(file_operation& op) {
    const std::uint8_t opcode = opcode_of(op.call);
    if (opcode == 0 || !kernel_follows(op) || !ring_.knows(opcode)) {
        return file_start::may_block;
    }
    make_room();
    io_uring_sqe& entry = ring_.next();
    entry.opcode = opcode;
    write_entry(op, entry);
    if (op.call == file_call::read || op.call == file_call::write) {
        // What takes long in this thread, even when it is in memory, is left to one of the kernel's.
        const bool much = op.length > bytes_of_a_try || moved_ >= bytes_of_a_turn;
        entry.flags |= much ? IOSQE_ASYNC : 0;
        moved_ += much ? 0 : op.length;
    }
    entry.user_data = user_data_of(op);
    op.number = ring_.position();
    op.phase = with_kernel;
    ++pending_;
    return file_start::pending;
}

void uring_backend::file_completed(file_operation& op, int result) noexcept {
    const bool opens = op.call == file_call::open || op.call == file_call::open_below;
    op.result = opens && result >= 0 ? take_opened(result, op) : result;
    op.phase = completed;
    completed_.push_back(op);
    ++completed_count_;
}

// What a thread of the kernel has begun goes on to its end, or ends in the middle with what it has done.
bool uring_backend::cancel_file(file_operation& op) noexcept {
    if (op.phase != with_kernel) {
        return false;
    }
    if (withdraw(op.number, user_data_of(op))) {
        --pending_;
        op.result = -ECANCELED;
        return true;
    }
    op.phase = asked_to_end;
    ask_to_end(user_data_of(op));
    return false;
}

}  // namespace leat
