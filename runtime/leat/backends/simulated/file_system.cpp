// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/file_system.hpp>

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

namespace leat {

namespace {

bool is_below(const simulated_inode* folder, const simulated_inode* above) noexcept {
    while (folder != nullptr && folder != above) {
        folder = folder->parent;
    }
    return folder != nullptr;
}

}  // namespace

simulated_file_system::simulated_file_system() {
    root_ = std::make_shared<simulated_inode>();
    root_->folder = true;
    root_->permissions = 0755;
    root_->number = ++numbers_;
    root_->named = true;
    all_.push_back(root_);
    (void)make_folder("/tmp", 0777, {});
    sync(*root_);
}

// Each name before the last leads to a folder.
int simulated_file_system::walk(const char* path, place& found, const node& below) const {
    std::string_view rest(path);
    if (rest.empty() || rest.size() >= PATH_MAX) {
        return rest.empty() ? -ENOENT : -ENAMETOOLONG;
    }
    if (below != nullptr && rest.front() == '/') {
        return -EXDEV;
    }
    found = {below != nullptr ? below : root_, "", rest.back() == '/'};
    while (!rest.empty()) {
        const std::string_view name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty()) {
            continue;
        }
        if (!found.name.empty()) {
            node next = find(found);
            if (next == nullptr || !next->folder) {
                return next == nullptr ? -ENOENT : -ENOTDIR;
            }
            found = {std::move(next), "", found.must_be_folder};
        }
        if (name.size() > NAME_MAX) {
            return -ENAMETOOLONG;
        }
        if (name == ".." && found.folder == below) {
            return -EXDEV;
        }
        if (name == ".." && found.folder->parent != nullptr) {
            found.folder = found.folder->parent->shared_from_this();
        } else if (name != "." && name != "..") {
            found.name = name;
        }
    }
    return 0;
}

simulated_file_system::node simulated_file_system::find(const place& at) {
    if (at.name.empty()) {
        return at.folder;
    }
    const auto found = at.folder->names.find(at.name);
    return found != at.folder->names.end() ? found->second : nullptr;
}

simulated_file_system::node simulated_file_system::add(const place& at, bool folder, unsigned permissions,
                                                       wall_time now) {
    auto made = std::make_shared<simulated_inode>();
    made->folder = folder;
    made->permissions = permissions;
    made->number = ++numbers_;
    made->modified = now;
    std::erase_if(all_, [](const auto& each) { return each.expired(); });
    all_.push_back(made);
    change_names({{at.folder, at.name, made}});
    return made;
}

void simulated_file_system::change_names(edits changed) {
    for (const edit& each : changed) {
        auto& names = each.folder->names;
        if (const auto before = names.find(each.name); before != names.end()) {
            before->second->named = false;
            before->second->parent = nullptr;
            names.erase(before);
        }
    }
    for (const edit& each : changed) {
        if (each.to != nullptr) {
            each.folder->names[each.name] = each.to;
            each.to->named = true;
            each.to->parent = each.to->folder ? each.folder.get() : nullptr;
        }
    }
    unsaved_names_.push_back(std::move(changed));
}

int simulated_file_system::open(const char* path, int flags, unsigned permissions, wall_time now, node& found,
                                const node& below) {
    place at;
    if (const int error = walk(path, at, below); error != 0) {
        return error;
    }
    found = find(at);
    if (found == nullptr) {
        if ((flags & O_CREAT) == 0 || at.must_be_folder || !at.folder->named) {
            return (flags & O_CREAT) != 0 && at.must_be_folder ? -EISDIR : -ENOENT;
        }
        found = add(at, false, permissions, now);
        return 0;
    }
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        return -EEXIST;
    }
    if (!found->folder && ((flags & O_DIRECTORY) != 0 || at.must_be_folder)) {
        return -ENOTDIR;
    }
    if (found->folder && (flags & O_DIRECTORY) == 0) {
        return -EISDIR;
    }
    return (flags & O_TRUNC) != 0 ? resize(*found, 0, now) : 0;
}

int simulated_file_system::look_up(const char* path, node& found, const node& below) const {
    place at;
    if (const int error = walk(path, at, below); error != 0) {
        return error;
    }
    found = find(at);
    if (found == nullptr) {
        return -ENOENT;
    }
    return at.must_be_folder && !found->folder ? -ENOTDIR : 0;
}

int simulated_file_system::rename(const char* from, const char* to, unsigned flags, const node& below) {
    place source;
    place target;
    int error = walk(from, source, below);
    error = error == 0 ? walk(to, target, below) : error;
    if (error != 0) {
        return error;
    }
    const node moved = find(source);
    const node replaced = find(target);
    if (source.name.empty() || target.name.empty()) {
        return -EBUSY;
    }
    if (moved == nullptr || !target.folder->named) {
        return -ENOENT;
    }
    if (!moved->folder && (source.must_be_folder || target.must_be_folder)) {
        return -ENOTDIR;
    }
    if (replaced != nullptr && (flags & RENAME_NOREPLACE) != 0) {
        return -EEXIST;
    }
    if (moved->folder && is_below(target.folder.get(), moved.get())) {
        return -EINVAL;
    }
    if (moved == replaced) {
        return 0;
    }
    if (replaced != nullptr && moved->folder != replaced->folder) {
        return moved->folder ? -ENOTDIR : -EISDIR;
    }
    if (replaced != nullptr && !replaced->names.empty()) {
        return -ENOTEMPTY;
    }
    change_names({{source.folder, source.name, nullptr}, {target.folder, target.name, moved}});
    return 0;
}

int simulated_file_system::remove(const char* path, bool folder, const node& below) {
    place at;
    if (const int error = walk(path, at, below); error != 0) {
        return error;
    }
    const node removed = find(at);
    if (removed == nullptr) {
        return -ENOENT;
    }
    if (folder != removed->folder) {
        return folder ? -ENOTDIR : -EISDIR;
    }
    if (at.name.empty() || !removed->names.empty()) {
        return at.name.empty() ? -EBUSY : -ENOTEMPTY;
    }
    if (!folder && at.must_be_folder) {
        return -ENOTDIR;
    }
    change_names({{at.folder, at.name, nullptr}});
    return 0;
}

int simulated_file_system::make_folder(const char* path, unsigned permissions, wall_time now,
                                       const node& below) {
    place at;
    if (const int error = walk(path, at, below); error != 0) {
        return error;
    }
    if (find(at) != nullptr) {
        return -EEXIST;
    }
    if (!at.folder->named) {
        return -ENOENT;
    }
    (void)add(at, true, permissions, now);
    return 0;
}

int simulated_file_system::store(const char* path, unsigned permissions, std::span<const std::byte> bytes,
                                 wall_time now, const node& below, node& made) {
    if (const int error = open(path, O_CREAT | O_EXCL, permissions, now, made, below); error != 0) {
        return error;
    }
    if (!has_room(*made, 0, bytes.size())) {
        (void)remove(path, false, below);
        return -ENOSPC;
    }
    (void)write(*made, 0, bytes, now);
    return 0;
}

int simulated_file_system::list(const char* path, std::vector<folder_entry>& entries) const {
    node found;
    if (const int error = look_up(path, found); error != 0) {
        return error;
    }
    if (!found->folder) {
        return -ENOTDIR;
    }
    for (const auto& [name, each] : found->names) {
        entries.push_back({name, each->folder ? file_kind::folder : file_kind::regular});
    }
    return 0;
}

std::uint64_t simulated_file_system::used() const {
    std::uint64_t pages = 0;
    for (const auto& each : all_) {
        if (const node found = each.lock(); found != nullptr && (found->named || found->opened > 0)) {
            pages += found->bytes.pages();
        }
    }
    return pages * sparse_bytes::page_size;
}

bool simulated_file_system::has_room(const simulated_inode& file, std::uint64_t offset,
                                     std::uint64_t length) const {
    return capacity == 0 ||
           used() + file.bytes.pages_missing(offset, length) * sparse_bytes::page_size <= capacity;
}

// How many of these bytes fit: all, or so many that the last fills its page.
std::size_t simulated_file_system::room(const simulated_inode& file, std::uint64_t offset,
                                        std::size_t length) const {
    while (length > 0 && !has_room(file, offset, length)) {
        const std::uint64_t last_page = (offset + length - 1) / sparse_bytes::page_size;
        const std::uint64_t end = last_page * sparse_bytes::page_size;
        length = end > offset ? static_cast<std::size_t>(end - offset) : 0;
    }
    return length;
}

std::int64_t simulated_file_system::write(simulated_inode& file, std::uint64_t offset,
                                          std::span<const std::byte> from, wall_time now) {
    if (from.size() > static_cast<std::uint64_t>(INT64_MAX) - offset) {
        return -EFBIG;
    }
    const std::span<const std::byte> taken = from.first(room(file, offset, from.size()));
    if (taken.empty() && !from.empty()) {
        return -ENOSPC;
    }
    file.bytes.write(offset, taken);
    file.unsaved.push_back({offset, {taken.begin(), taken.end()}, false});
    file.modified = now;
    return static_cast<std::int64_t>(taken.size());
}

int simulated_file_system::resize(simulated_inode& file, std::uint64_t size, wall_time now) {
    file.bytes.resize(size);
    file.unsaved.push_back({size, {}, true});
    file.modified = now;
    return 0;
}

}  // namespace leat
