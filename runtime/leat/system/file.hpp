// SPDX-License-Identifier: MIT
// file: a file that is read and written without holding up the loop.
//
//   auto log = co_await leat::file::open("log", {.append = true, .create = true});
//   co_await log.append("ready\n");
//   co_await log.sync();
//
// On io_uring the kernel does the work; on epoll and poll a thread of offload's pool does, but for small
// reads of what is in memory; in a simulation the file is one of the host in memory (simulation.hpp).
//
// A file is a regular one, a block device, or /dev/null and its like. What may keep a read waiting for ever,
// as a FIFO, a socket or a terminal, is refused with errc::operation_not_supported: pipe_reader is for those.
//
// Any number of operations may be under way on one file, from tasks of one run. They happen in no order: who
// needs one awaits the first before the second begins. Errors are std::system_error whose text has the
// operation and the path. Cancelled: an operation that has not begun does not happen; one that has begun goes
// on, and the task waits for it, because the kernel uses its buffer until then. So a disk that hangs holds up
// a cancellation, too.
#pragma once

#include <leat/bytes.hpp>
#include <leat/core/file_operation.hpp>
#include <leat/system/core/file_state.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

struct statx;

namespace leat {

class root_folder;

// How a file is opened (open(2)).
struct file_options {
    bool read = true;
    bool write = false;
    bool append = false;          // every write goes to the end of then: by append() only
    bool create = false;          // when it does not exist. Needs write or append
    bool exclusive = false;       // with create: errc::file_exists when it does
    bool truncate = false;        // to no bytes. Needs write or append
    bool follow = true;           // false: errc::too_many_symbolic_link_levels when the last name is a link,
                                  // and below a root_folder when any is
    unsigned permissions = 0666;  // of one that is created, less the umask
};

// What is known of a file (statx(2)).
struct file_info {
    std::uint64_t size = 0;                          // in bytes
    std::chrono::system_clock::time_point modified;  // when its bytes changed last
    file_kind kind = file_kind::other;
    unsigned permissions = 0;  // 0 to 07777
    std::uint64_t links = 0;   // names
    std::uint64_t device = 0;  // with `number` it tells this file from all others
    std::uint64_t number = 0;
};

namespace detail {

[[nodiscard]] file_info info_of(const struct statx& about) noexcept;

}  // namespace detail

// Destroying it closes it: at once, by close(2), which tells no error and may block on a network file system;
// or when the last operation under way has ended. What was written is followed by close() therefore.
class file {
public:
    file() noexcept = default;
    file(file&& other) noexcept = default;
    file& operator=(file&& other) noexcept {
        if (this != &other) {
            drop();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~file() { drop(); }

    // Opens `path`, close-on-exec. A folder is errc::is_a_directory. Cancelled: it may have been created.
    [[nodiscard]] static task<file> open(std::string path, file_options how = {});
    // The same with what creating a new file, or replacing all of an old one, takes.
    [[nodiscard]] static task<file> create(std::string path) {
        return open(std::move(path), {.write = true, .create = true, .truncate = true});
    }

    // Reads some bytes at `offset`: at least one, or 0 at the end or behind it; fewer than asked for also
    // elsewhere. The buffer stays alive and untouched until then; an empty one is misuse. Cancelled: no
    // effect, but the buffer may have been written.
    [[nodiscard]] task<std::size_t> read_at(std::uint64_t offset, byte_buffer into);
    // Fills the buffer, or throws stream_errc::end_of_stream, or another error, saying how much was read.
    [[nodiscard]] task<> read_exactly_at(std::uint64_t offset, byte_buffer into);
    // Writes all bytes at `offset`; what lies between the end and there reads as zeros. Throws an error,
    // saying how many of them were written. The bytes stay alive and unchanged until then. Cancelled or
    // failed: some of them may have been written, from the first on. Misuse of a file that was opened to
    // append.
    [[nodiscard]] task<> write_at(std::uint64_t offset, byte_view from);
    // Writes all bytes behind those that are there, also behind what other processes have appended. Two at
    // once may mix when a disk is full or they are longer than 2 GiB. Errors and cancelling as of write_at.
    // Misuse of a file that was not opened to append.
    [[nodiscard]] task<> append(byte_view from);

    // What was written, and the size, is on the disk (fsync(2)). The name of a new file is when its folder is
    // (sync_folder, folder.hpp). After an error some of what was written before is perhaps lost, and a later
    // sync does not tell: write it again.
    [[nodiscard]] task<> sync();
    // The same without what reading the bytes does not need, such as the time (fdatasync(2)).
    [[nodiscard]] task<> sync_data();
    // Cuts it to `size` bytes, or adds zeros up to there (ftruncate(2)).
    [[nodiscard]] task<> truncate(std::uint64_t size);
    // There is room on the disk for these bytes from then on; the size grows to hold them (fallocate(2)).
    // Not every file system can: errc::operation_not_supported.
    [[nodiscard]] task<> allocate(std::uint64_t offset, std::uint64_t size);
    // The same, but the size stays (FALLOC_FL_KEEP_SIZE).
    [[nodiscard]] task<> reserve(std::uint64_t offset, std::uint64_t size);
    // Locks it for as long as it is open, against others who ask so, also in this process; it was opened to
    // write. False: another has locked it (F_OFD_SETLK of fcntl(2)).
    [[nodiscard]] task<bool> try_lock();
    // When its bytes changed last, for others to see. Of any file of one's own.
    [[nodiscard]] task<> set_modified(std::chrono::system_clock::time_point when);
    // An extended attribute, as "user.xdg.origin.url" (setxattr(2)). Not every file system can:
    // errc::operation_not_supported.
    [[nodiscard]] task<> set_attribute(std::string name, std::string value);
    [[nodiscard]] task<file_info> info();

    // Closes it once the operations under way have ended; new ones fail with stream_errc::closed at once.
    // Throws what the file system tells now of earlier writes (EIO, ENOSPC, EDQUOT); it is closed all the
    // same. Only sync() says that what was written is on the disk. Cancelled: it closes when it is destroyed.
    [[nodiscard]] task<> close();
    [[nodiscard]] bool is_open() const noexcept { return state_ && !state_->closed; }
    // The descriptor, for what leat does not offer; -1 when closed. It stays this file's. In a simulation it
    // means nothing to the kernel.
    [[nodiscard]] int native_handle() const noexcept { return is_open() ? state_->descriptor : -1; }
    // As it was opened.
    [[nodiscard]] const std::string& path() const noexcept { return state()->path; }

private:
    friend class root_folder;

    explicit file(detail::file_reference state) noexcept : state_(std::move(state)) {}
    [[nodiscard]] const detail::file_reference& state() const noexcept {
        check(static_cast<bool>(state_), "the file was moved from, or never opened");
        return state_;
    }
    void drop() noexcept {
        if (state_) {
            state_->closed = true;
        }
    }

    detail::file_reference state_;
};

}  // namespace leat
