// SPDX-License-Identifier: MIT
// output_file: the life of one file under way. Made by output_folder::claim.
//
//   co_await file.begin({.url = url, .etag = etag, .size = 1000});   // the answer is 200
//   co_await file.go_on();                                           // it is 206, from file.there() on
//   co_await file.write(bytes);
//   co_await file.write_at(700, others);                             // of another connection
//   co_await file.keep();         // whole: it has its name
//   co_await file.leave();        // or not: a later run can go on with it
//   co_await file.remove();       // or it is not wanted
//
// What fits into the buffer is only in memory until it is kept, and then it is one call. A longer file is
// called NAME.part until it is whole, with a NAME.part.note beside it that tells whose bytes it has
// (resume_note.hpp), and that is locked, so that no other run touches the two. After a failed try the same
// file is begun, or gone on with, again. Bytes that are written apart from the others leave a gap in it: then
// the note lists what is there.
//
// Invariant: under the final name is a whole file or none, whenever the process dies, and with
// file_settings::sync whenever the machine does; the note never says more than the file has. So destroying
// one, as a cancellation does, is leave() without what was in the buffer.
//
// At most two descriptors. No two calls on one file are under way at once. Errors are file_error. What failed
// may be tried again.
#pragma once

#include <fetch/files/byte_ranges.hpp>
#include <fetch/files/file_origin.hpp>
#include <fetch/files/folder_names.hpp>
#include <fetch/files/kept_note.hpp>

#include <leat/bytes.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

class output_place;

class output_file {
public:
    using server_time = std::optional<std::chrono::system_clock::time_point>;

    output_file(output_file&&) noexcept = default;
    output_file& operator=(output_file&&) = delete;
    ~output_file();

    // Below the folder. keep() may change it.
    [[nodiscard]] const std::string& name() const noexcept { return name_.name(); }
    // The file is whole, from an earlier run: nothing is to be done (existing_file::skip).
    [[nodiscard]] bool is_there() const noexcept { return is_there_; }
    // Bytes from the start on that are there, of known(): those of an earlier run, or of a try before.
    [[nodiscard]] std::uint64_t there() const noexcept { return written_.prefix() + buffer_.size(); }
    // All bytes that are there, also behind a gap.
    [[nodiscard]] std::uint64_t count() const noexcept { return written_.count() + buffer_.size(); }
    // Those of them that have been given to the disk.
    [[nodiscard]] const byte_ranges& ranges() const noexcept { return written_; }
    [[nodiscard]] const file_origin& known() const noexcept { return origin_; }

    // With file_settings::newer: the file that has the name, and which keep() replaces if it is still as it
    // was found. It was not fetched from another URL, as far as is known. With file_settings::take_over: the
    // one that may be the beginning of this file.
    [[nodiscard]] const std::optional<existing>& found() const noexcept { return found_; }

    // From nothing: what was there is dropped. Of `origin` the URL may be another one, as of a mirror: it is
    // the claimed one that is kept.
    [[nodiscard]] leat::task<> begin(file_origin origin);
    // What was found is the beginning of this file: it becomes NAME.part, and is there() from then on.
    // Cancelled or failed: it has one of the two names.
    [[nodiscard]] leat::task<> take_over(file_origin origin);
    // With what is there.
    [[nodiscard]] leat::task<> go_on();
    // Behind there(). The bytes stay alive until then. Cancelled or failed: there() tells what counts.
    [[nodiscard]] leat::task<> write(leat::byte_view bytes);
    // The same from `offset` on, of a file whose size is known. They may be there already.
    [[nodiscard]] leat::task<> write_at(std::uint64_t offset, leat::byte_view bytes);

    // All that is there is in ranges().
    [[nodiscard]] leat::task<> flush();

    // All bytes up to there(), in pieces, as for a checksum.
    [[nodiscard]] leat::task<> read_all(std::function<void(leat::byte_view)> take);

    // It is whole, without a gap. The time is used when the settings ask for it. When somebody has taken the
    // name meanwhile, the settings decide: it gets the next number, replaces that file, or throws; or, with
    // existing_file::skip, is dropped, and is_there() says so. Failed: it can be left or removed. Cancelled:
    // it may have its name, and then it is whole.
    [[nodiscard]] leat::task<> keep(server_time time = {});
    // What is there stays for a later run, on the disk. Gives how many bytes; nothing is left of none.
    [[nodiscard]] leat::task<std::uint64_t> leave();
    [[nodiscard]] leat::task<> remove();

    // What is held in memory at most, and written at once.
    static constexpr std::size_t buffer_size = 256 * 1024;

private:
    friend class output_place;

    output_file(output_place& place, std::string wanted, folder_names::claim name,
                std::uint64_t number) noexcept
        : place_(&place),
          wanted_(std::move(wanted)),
          name_(std::move(name)),
          base_(name_.name()),
          number_(number) {}

    [[nodiscard]] std::string part_name() const;
    [[nodiscard]] std::string note_name() const;
    // What no note tells of, and is so short, was made by a run that died early.
    [[nodiscard]] static bool may_drop(const leat::file_info& part) noexcept;

    leat::task<> restart(file_origin origin);
    leat::task<> cut();
    leat::task<> append(leat::byte_view bytes);
    leat::task<> read_pieces(std::function<void(leat::byte_view)> take);
    leat::task<> flush_buffer();
    leat::task<> put_apart(std::uint64_t offset, leat::byte_view bytes);
    leat::task<> put(std::uint64_t offset, leat::byte_view bytes);
    leat::task<> prepare();
    leat::task<> lock_note();
    leat::task<leat::file> create(std::string name, leat::file_options how);
    leat::task<> open_part();
    leat::task<> reserve();
    leat::task<> write_note();
    leat::task<> store_note();
    leat::task<> sync_part();
    leat::task<> settle();
    leat::task<> finish(server_time time);
    leat::task<bool> store(server_time time);
    leat::task<> describe(server_time time);
    leat::task<> close_part();
    leat::task<> take_name();
    leat::task<> check_found();
    leat::task<> rename_half(file_origin origin);
    leat::task<bool> give_way();
    leat::task<std::uint64_t> put_by();
    leat::task<> drop();

    output_place* place_;
    std::string wanted_;
    folder_names::claim name_;
    std::string base_;      // of the names of part and note: the first name
    std::uint64_t number_;  // behind the wanted name
    bool is_there_ = false;
    bool replaces_ = false;  // a file that was there
    std::optional<existing> found_ = {};

    file_origin origin_ = {};
    leat::file part_ = {};
    bool has_part_ = false;     // on the disk
    std::uint64_t length_ = 0;  // of it, at most
    byte_ranges written_ = {};  // bytes of it that count
    byte_ranges synced_ = {};   // of them
    std::uint64_t untold_ = 0;  // bytes that were written since the note was

    leat::file note_ = {};      // locked while it is open
    bool has_note_ = false;     // on the disk
    bool note_holds_ = false;   // it tells what holds now
    bool has_gaps_ = false;     // the part has, or may have had; the note lists what is there
    bool note_trusts_ = false;  // it may call bytes synced, also others than those of now

    std::vector<std::byte> buffer_ = {};
};

}  // namespace fetch
