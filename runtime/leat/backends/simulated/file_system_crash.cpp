// SPDX-License-Identifier: MIT
// What of a simulated file system is on its disk.
#include <leat/backends/simulated/file_system.hpp>

#include <algorithm>
#include <utility>

namespace leat {

namespace {

constexpr std::size_t sector = 512;  // what a disk writes as a whole

// On the disk, as a whole or by sectors.
void save(simulated_inode& file, const simulated_inode::change& what) {
    if (what.resizes) {
        file.saved_bytes.resize(what.offset);
    } else {
        file.saved_bytes.write(what.offset, what.bytes);
    }
}

void save_torn(simulated_inode& file, const simulated_inode::change& what, chance& luck) {
    std::span<const std::byte> rest = what.bytes;
    for (std::uint64_t at = what.offset; !rest.empty();) {
        const std::size_t size = std::min<std::size_t>(rest.size(), sector - at % sector);
        if (luck.happens(0.5)) {
            file.saved_bytes.write(at, rest.first(size));
        }
        at += size;
        rest = rest.subspan(size);
    }
}

}  // namespace

void simulated_file_system::save_names(const edits& changed) {
    for (const edit& each : changed) {
        if (each.to != nullptr) {
            each.folder->saved_names[each.name] = each.to;
        } else {
            each.folder->saved_names.erase(each.name);
        }
    }
}

// Of a folder: the changes that concern it, those of a rename in the other folder, too. What an older change
// says of one of these names does not count any more.
void simulated_file_system::sync(simulated_inode& what) {
    for (const simulated_inode::change& each : std::exchange(what.unsaved, {})) {
        save(what, each);
    }
    std::vector<edits> kept;
    for (edits& changed : std::exchange(unsaved_names_, {})) {
        if (std::none_of(changed.begin(), changed.end(),
                         [&](const edit& each) { return each.folder.get() == &what; })) {
            kept.push_back(std::move(changed));
            continue;
        }
        save_names(changed);
        for (edits& older : kept) {
            std::erase_if(older, [&](const edit& each) {
                return std::any_of(changed.begin(), changed.end(), [&](const edit& newer) {
                    return newer.folder == each.folder && newer.name == each.name;
                });
            });
        }
    }
    unsaved_names_ = std::move(kept);
}

void simulated_file_system::save_some(simulated_inode& file, chance& luck) {
    for (const simulated_inode::change& each : std::exchange(file.unsaved, {})) {
        switch (luck.below(3)) {
            case 0:
                save(file, each);
                break;
            case 1:
                save_torn(file, each, luck);
                break;
            default:
                break;  // lost
        }
    }
}

void simulated_file_system::fail_sync(simulated_inode& file, chance& luck) {
    save_some(file, luck);
}

void simulated_file_system::crash(chance& luck) {
    for (const edits& each : std::exchange(unsaved_names_, {})) {
        if (luck.happens(0.5)) {
            save_names(each);
        }
    }
    for (const auto& each : all_) {
        if (const node found = each.lock()) {
            save_some(*found, luck);
        }
    }
    adopt_saved_names();
}

void simulated_file_system::adopt_saved_names() {
    std::vector<node> every;
    for (const auto& each : all_) {
        if (node found = each.lock()) {
            found->bytes = found->saved_bytes;
            found->names = found->saved_names;
            found->named = found == root_;
            found->parent = nullptr;
            every.push_back(std::move(found));
        }
    }
    // From the root: a folder that was lost takes along what is in it.
    for (std::vector<node> rest{root_}; !rest.empty();) {
        const node folder = rest.back();
        rest.pop_back();
        for (const auto& [name, each] : folder->names) {
            each->named = true;
            if (each->folder && each->parent == nullptr) {
                each->parent = folder.get();
                rest.push_back(each);
            }
        }
    }
}

}  // namespace leat
