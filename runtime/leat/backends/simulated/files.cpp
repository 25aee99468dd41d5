// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/files.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

namespace leat {

namespace {

thread_local std::size_t files_of_thread = 0;

void tell(const simulated_inode& node, int host, struct statx& about) noexcept {
    using std::chrono::nanoseconds, std::chrono::seconds;
    const auto since = std::chrono::duration_cast<nanoseconds>(node.modified.time_since_epoch());
    about = {};
    about.stx_size = node.bytes.size();
    about.stx_mode = static_cast<std::uint16_t>((node.folder ? S_IFDIR : S_IFREG) | node.permissions);
    about.stx_nlink = node.named ? 1 : 0;
    about.stx_ino = node.number;
    about.stx_dev_minor = static_cast<std::uint32_t>(host);
    const auto whole = std::chrono::floor<seconds>(since);
    about.stx_mtime.tv_sec = whole.count();
    about.stx_mtime.tv_nsec = static_cast<std::uint32_t>((since - whole).count());
}

// Whether the path of `op` begins at the root of the running task's host.
bool has_whole_path(const file_operation& op) noexcept {
    return op.path != nullptr && op.descriptor < 0;
}

simulated_file_system::wall_time wall_time_of(std::int64_t nanoseconds) noexcept {
    return simulated_file_system::wall_time(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::nanoseconds(nanoseconds)));
}

// What is wrong with the end of a path below a folder, which has to be a name.
int end_error(std::string_view path) noexcept {
    const std::string_view last = path.substr(path.rfind('/') + 1);
    if (last == "..") {
        return -EXDEV;
    }
    return path.empty() ? -ENOENT : last.empty() || last == "." ? -EINVAL : 0;
}

}  // namespace

std::size_t open_simulated_files() noexcept {
    return files_of_thread;
}

simulated_files::~simulated_files() {
    files_of_thread -= open_.size();
}

int simulated_files::host_of(const file_operation& op) noexcept {
    if (has_whole_path(op)) {
        return hosts_.current().host.number();
    }
    const auto found = open_.find(op.descriptor);
    return found != open_.end() ? found->second.host : 0;
}

duration simulated_files::time_of(const file_operation& op, int host) noexcept {
    const simulated_disk& disk = hosts_.at(host).disk;
    const bool syncs = op.call == file_call::sync || op.call == file_call::sync_data;
    const duration late = wire_.strikes(&simulated_faults::late_completion)
                              ? wire_.luck.up_to(wire_.faults.rates().delay)
                              : duration();
    return (syncs ? disk.sync_latency : disk.latency) + late;
}

simulated_file_system::wall_time simulated_files::wall_now() const noexcept {
    return options_.wall_start + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                     wire_.events.now() - simulated_wire::start);
}

void simulated_files::perform(const call& what) noexcept {
    try {
        what.op->result = performed(*what.op, what.host);
    } catch (const std::bad_alloc&) {
        what.op->result = -ENOMEM;
    }
}

std::int64_t simulated_files::performed(file_operation& op, int host) {
    simulated_file_system& files = hosts_.at(host).files;
    if (has_whole_path(op)) {
        if (!hosts_.is_up(host)) {
            return -ESHUTDOWN;
        }
        return op.call == file_call::open ? open(op, host) : on_name(op, files, nullptr);
    }
    const auto found = open_.find(op.descriptor);
    if (found == open_.end()) {
        return -EBADF;
    }
    if (op.call == file_call::close) {
        (void)close(op.descriptor);
        return 0;
    }
    if (found->second.dead) {
        return -ESHUTDOWN;
    }
    if (op.call == file_call::open_below) {
        return found->second.node->folder ? open(op, host, found->second.node) : -ENOTDIR;
    }
    if (op.path != nullptr && op.call != file_call::set_extra) {
        return found->second.node->folder ? on_name(op, files, found->second.node) : -ENOTDIR;
    }
    return on_file(op, found->second, files);
}

std::int64_t simulated_files::open(const file_operation& op, int host,
                                   const simulated_file_system::node& below) {
    if (wire_.strikes(&simulated_faults::no_descriptors)) {
        return wire_.luck.happens(0.5) ? -EMFILE : -ENFILE;
    }
    open_file made{nullptr, op.flags, host};
    if (const int error =
            hosts_.at(host).files.open(op.path, op.flags, op.mode & 07777U, wall_now(), made.node, below);
        error != 0) {
        return error;
    }
    int number = first_;
    for (const auto& each : open_) {
        number += each.first == number ? 1 : 0;
    }
    if (op.about != nullptr) {
        tell(*made.node, 0, *op.about);
    }
    ++made.node->opened;
    open_.emplace(number, std::move(made));
    ++files_of_thread;
    return number;
}

std::int64_t simulated_files::on_name(file_operation& op, simulated_file_system& files,
                                      const simulated_file_system::node& below) {
    const bool has_target = op.call == file_call::rename || op.call == file_call::link;
    if (below != nullptr) {
        int error = end_error(op.path);
        error = error == 0 && has_target ? end_error(op.target) : error;
        if (error != 0) {
            return error;
        }
    }
    simulated_file_system::node found;
    switch (op.call) {
        case file_call::look_up: {
            const int error = files.look_up(op.path, found, below);
            if (error == 0) {
                tell(*found, 0, *op.about);
            }
            return error;
        }
        case file_call::rename:
            return files.rename(op.path, op.target, static_cast<unsigned>(op.flags), below);
        case file_call::remove:
            return files.remove(op.path, (op.flags & AT_REMOVEDIR) != 0, below);
        case file_call::make_folder:
            return files.make_folder(op.path, op.mode & 07777U, wall_now(), below);
        case file_call::store:
            return store(op, files, below);
        case file_call::link:
            return -EPERM;  // a file of a simulation has one name
        case file_call::list:
            return files.list(op.path, *op.entries);
        case file_call::open:
        case file_call::open_below:
        case file_call::read:
        case file_call::write:
        case file_call::sync:
        case file_call::sync_data:
        case file_call::resize:
        case file_call::allocate:
        case file_call::lock:
        case file_call::set_time:
        case file_call::set_extra:
        case file_call::close:
        case file_call::look:
            break;
    }
    return -ENOSYS;
}

std::int64_t simulated_files::store(const file_operation& op, simulated_file_system& files,
                                    const simulated_file_system::node& below) {
    if (wire_.strikes(&simulated_faults::disk_error)) {
        return -EIO;
    }
    if (wire_.strikes(&simulated_faults::disk_full)) {
        return -ENOSPC;
    }
    simulated_file_system::node made;
    const int error = files.store(op.path, op.mode & 07777U, {op.buffer, op.length}, wall_now(), below, made);
    if (error != 0) {
        return error;
    }
    if (op.offset != INT64_MIN) {
        made->modified = wall_time_of(op.offset);
    }
    if ((op.flags & O_SYNC) != 0) {
        files.sync(*made);
    }
    return 0;
}

std::int64_t simulated_files::on_file(file_operation& op, open_file& on, simulated_file_system& files) {
    const bool writable = (on.flags & O_ACCMODE) != O_RDONLY;
    const auto offset = static_cast<std::uint64_t>(op.offset);
    switch (op.call) {
        case file_call::read:
            return read(op, on);
        case file_call::write:
            return writable ? write(op, on, files) : -EBADF;
        case file_call::sync:
        case file_call::sync_data:
            return sync(on, files);
        case file_call::resize:
            return writable ? files.resize(*on.node, offset, wall_now()) : -EINVAL;
        case file_call::allocate:
            if (!writable || op.length == 0) {
                return writable ? -EINVAL : -EBADF;
            }
            if (!files.has_room(*on.node, offset, op.length)) {
                return -ENOSPC;
            }
            if ((op.flags & FALLOC_FL_KEEP_SIZE) != 0) {
                return 0;
            }
            return files.resize(*on.node, std::max(on.node->bytes.size(), offset + op.length), wall_now());
        case file_call::lock:
            if (on.node->locked_by >= 0 && on.node->locked_by != op.descriptor) {
                return -EAGAIN;
            }
            on.node->locked_by = op.descriptor;
            return 0;
        case file_call::set_time:
            on.node->modified = wall_time_of(op.offset);
            return 0;
        case file_call::set_extra:
            return -EOPNOTSUPP;
        case file_call::look:
            tell(*on.node, 0, *op.about);
            return 0;
        case file_call::open:
        case file_call::open_below:
        case file_call::close:
        case file_call::look_up:
        case file_call::rename:
        case file_call::link:
        case file_call::remove:
        case file_call::make_folder:
        case file_call::store:
        case file_call::list:
            break;
    }
    return -ENOSYS;
}

// Some of it, now and then.
std::size_t simulated_files::length_of(const file_operation& op) noexcept {
    return op.length > 1 && wire_.strikes(&simulated_faults::short_transfer)
               ? static_cast<std::size_t>(1 + wire_.luck.below(op.length))
               : op.length;
}

std::int64_t simulated_files::read(const file_operation& op, const open_file& on) {
    if (on.node->folder || (on.flags & O_ACCMODE) == O_WRONLY) {
        return on.node->folder ? -EISDIR : -EBADF;
    }
    if (wire_.strikes(&simulated_faults::disk_error)) {
        return -EIO;
    }
    return static_cast<std::int64_t>(
        on.node->bytes.read(static_cast<std::uint64_t>(op.offset), {op.buffer, length_of(op)}));
}

std::int64_t simulated_files::write(const file_operation& op, const open_file& on,
                                    simulated_file_system& files) {
    if (wire_.strikes(&simulated_faults::disk_error)) {
        return -EIO;
    }
    if (wire_.strikes(&simulated_faults::disk_full)) {
        return -ENOSPC;
    }
    const std::uint64_t offset =
        (on.flags & O_APPEND) != 0 ? on.node->bytes.size() : static_cast<std::uint64_t>(op.offset);
    return files.write(*on.node, offset, {op.buffer, length_of(op)}, wall_now());
}

std::int64_t simulated_files::sync(const open_file& on, simulated_file_system& files) {
    if (wire_.strikes(&simulated_faults::disk_error)) {
        files.fail_sync(*on.node, wire_.luck);
        return -EIO;
    }
    files.sync(*on.node);
    return 0;
}

bool simulated_files::close(int fd) noexcept {
    const auto found = open_.find(fd);
    if (found == open_.end()) {
        return false;
    }
    --found->second.node->opened;
    if (found->second.node->locked_by == fd) {
        found->second.node->locked_by = -1;
    }
    open_.erase(found);
    --files_of_thread;
    return true;
}

void simulated_files::crash(int host) {
    for (auto& [number, each] : open_) {
        each.dead = each.dead || each.host == host;
        each.node->locked_by = each.host == host ? -1 : each.node->locked_by;
    }
    hosts_.at(host).files.crash(wire_.luck);
}

}  // namespace leat
