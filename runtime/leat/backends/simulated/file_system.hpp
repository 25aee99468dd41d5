// SPDX-License-Identifier: MIT
// simulated_file_system: the files of a simulated host, in memory, and what of them is on its disk. Its
// answers are those of Linux: a negated errno, or what the call gives.
//
// Each change is seen at once by whoever reads, and is on the disk only after a sync: of the file for its
// bytes and its size, of the folder for names. A crash decides for each change that was not synced whether
// the disk has it all the same. So a new file whose folder was not synced may be gone, and a file that was
// renamed without a sync may have its new name and no bytes. A rename is on the disk as a whole or not.
// Symbolic links, permissions and owners are not simulated.
//
// Invariant: what is on the disk changes by a sync or a crash only.
#pragma once

#include <leat/backends/simulated/chance.hpp>
#include <leat/backends/simulated/sparse_bytes.hpp>
#include <leat/core/file_operation.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// A file or a folder.
struct simulated_inode : std::enable_shared_from_this<simulated_inode> {
    using names_type = std::map<std::string, std::shared_ptr<simulated_inode>, std::less<>>;

    // Of the bytes or the size, not on the disk yet.
    struct change {
        std::uint64_t offset = 0;  // or the size
        std::vector<std::byte> bytes;
        bool resizes = false;
    };

    bool folder = false;
    unsigned permissions = 0;
    std::uint64_t number = 0;
    bool named = false;  // has a name in a folder
    int opened = 0;      // how often it is open
    int locked_by = -1;  // which of these has locked it
    std::chrono::system_clock::time_point modified;
    sparse_bytes bytes;
    sparse_bytes saved_bytes;  // on the disk
    std::vector<change> unsaved;
    names_type names;  // of a folder
    names_type saved_names;
    simulated_inode* parent = nullptr;  // of a folder that has a name
};

class simulated_file_system {
public:
    using node = std::shared_ptr<simulated_inode>;
    using wall_time = std::chrono::system_clock::time_point;

    // Has "/" and "/tmp".
    simulated_file_system();

    // `flags` as of open(2), `found`: the file, new or not. 0 or a negated errno, as of all below. `below`:
    // of a folder, out of which no path leads then (RESOLVE_BENEATH of openat2(2)).
    int open(const char* path, int flags, unsigned permissions, wall_time now, node& found,
             const node& below = nullptr);
    int look_up(const char* path, node& found, const node& below = nullptr) const;
    int rename(const char* from, const char* to, unsigned flags, const node& below = nullptr);
    int remove(const char* path, bool folder, const node& below = nullptr);
    int make_folder(const char* path, unsigned permissions, wall_time now, const node& below = nullptr);
    // A new file of these bytes.
    int store(const char* path, unsigned permissions, std::span<const std::byte> bytes, wall_time now,
              const node& below, node& made);
    int list(const char* path, std::vector<folder_entry>& entries) const;

    // A count, or a negated errno.
    std::int64_t write(simulated_inode& file, std::uint64_t offset, std::span<const std::byte> from,
                       wall_time now);
    int resize(simulated_inode& file, std::uint64_t size, wall_time now);
    // A file of that size has room on the disk.
    [[nodiscard]] bool has_room(const simulated_inode& file, std::uint64_t offset,
                                std::uint64_t length) const;

    void sync(simulated_inode& what);
    // Fails: chance decides what of the file is on the disk, and a later sync does not try the rest again, as
    // no kernel does.
    void fail_sync(simulated_inode& file, chance& luck);
    // Chance decides what of all that was not synced is on the disk; that is what is there from now on.
    void crash(chance& luck);

    std::uint64_t capacity = 0;  // bytes, counted by pages; 0: there is no limit

private:
    // A name in a folder, which need not lead anywhere. Without a name it is the folder itself.
    struct place {
        node folder;
        std::string name;
        bool must_be_folder = false;
    };
    // What happens to a name: it leads to `to` from then on, or nowhere.
    struct edit {
        node folder;
        std::string name;
        node to;
    };
    using edits = std::vector<edit>;

    int walk(const char* path, place& found, const node& below = nullptr) const;
    static node find(const place& at);
    node add(const place& at, bool folder, unsigned permissions, wall_time now);
    void change_names(edits changed);
    static void save_names(const edits& changed);
    [[nodiscard]] std::size_t room(const simulated_inode& file, std::uint64_t offset,
                                   std::size_t length) const;
    [[nodiscard]] std::uint64_t used() const;
    static void save_some(simulated_inode& file, chance& luck);
    void adopt_saved_names();

    node root_;
    std::uint64_t numbers_ = 0;
    std::vector<std::weak_ptr<simulated_inode>> all_;
    std::vector<edits> unsaved_names_;  // oldest first; those of one rename are together
};

}  // namespace leat
