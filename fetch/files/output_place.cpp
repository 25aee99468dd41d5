// SPDX-License-Identifier: MIT
// A note is locked by who owns it, and the part beside it. It is opened, then locked, then looked at again:
// it may be gone by then, with its part, which has its final name.
#include <fetch/files/output_place.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/resume_note.hpp>

#include <leat/io.hpp>

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

namespace fetch {

namespace {

template <typename T>
leat::task<std::optional<T>> if_there(leat::task<T> work) {
    auto found = co_await leat::as_result(std::move(work));
    if (found.error() == std::errc::no_such_file_or_directory) {
        co_return std::nullopt;
    }
    co_return std::move(found).value();
}

leat::task<std::string> text_in(leat::file& opened, std::size_t limit) {
    std::string text(limit, '\0');
    std::size_t size = 0;
    while (size < limit) {
        const std::size_t got = co_await opened.read_at(size, std::span(text).subspan(size));
        size += got;
        if (got == 0) {
            break;
        }
    }
    text.resize(size);
    co_return text;
}

std::string folder_of(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

}  // namespace

output_place::output_place(leat::root_folder folder, file_settings settings, std::string this_boot,
                           known_names there)
    : root(std::move(folder)),
      how(settings),
      boot(std::move(this_boot)),
      names(settings.when_there != existing_file::number || settings.only_look || settings.newer ||
            settings.take_over),
      known(std::move(there)) {}

leat::task<leat::file> output_place::open(std::string name, leat::file_options options) const {
    options.follow = false;
    return root.open_file(std::move(name), options);
}

leat::task<std::optional<leat::file>> output_place::open_if_there(std::string name,
                                                                  leat::file_options options) const {
    return if_there(open(std::move(name), options));
}

leat::task<std::optional<leat::file_info>> output_place::info_if_there(std::string name) const {
    return if_there(root.link_info_of(std::move(name)));
}

leat::task<> output_place::remove_if_there(std::string name) const {
    const auto removed = co_await leat::as_result(root.remove_file(std::move(name)));
    if (removed.error() != std::errc::no_such_file_or_directory) {
        removed.value();
    }
}

leat::task<bool> output_place::rename_to_new(std::string from, std::string to) const {
    const auto renamed = co_await leat::as_result(root.rename_to_new(std::move(from), std::move(to)));
    if (renamed.error() == std::errc::file_exists) {
        co_return false;
    }
    renamed.value();
    co_return true;
}

leat::task<std::optional<leat::file_info>> output_place::info_at(leat::file& opened, std::string name) const {
    const auto named = co_await info_if_there(std::move(name));
    const auto about = co_await opened.info();
    const bool same = named && named->number == about.number && named->device == about.device;
    co_return same ? std::optional(about) : std::nullopt;
}

leat::task<> output_place::make_folders(std::string name) const {
    std::string folder = folder_of(name);
    if (!folder.empty()) {
        co_await root.make_folders(std::move(folder));
    }
}

// With all that may be new above it.
leat::task<> output_place::sync_folders(std::string name) const {
    for (std::string folder = folder_of(name); !folder.empty(); folder = folder_of(folder)) {
        const auto opened = co_await root.open_folder(folder);
        co_await opened.sync();
    }
    co_await root.sync();
}

leat::task<output_file> output_place::claim(std::string wanted, std::string url) {
    bool for_all = true;  // what is passed by is taken for all that want this name
    for (std::uint64_t number = names.first_number(wanted);; ++number) {
        auto name = names.take(numbered(wanted, number));
        if (!name) {
            continue;
        }
        output_file file(*this, wanted, std::move(*name), number);
        file.origin_.url = without_password(url);
        const bool is_new =
            known.lacks(file.name()) && known.lacks(file.part_name()) && known.lacks(file.note_name());
        const finding found = is_new ? finding::usable : co_await look_at(file);
        if (found == finding::usable) {
            names.remember(file.name());
            if (for_all && number > 0) {
                names.taken_up_to(wanted, number + 1);
            }
            co_return file;
        }
        refuse(file, found);
        for_all = for_all && found == finding::taken;
    }
}

// Only with numbers there is another name.
void output_place::refuse(const output_file& file, finding found) const {
    if (found != finding::taken && how.when_there != existing_file::number) {
        const bool busy = found == finding::busy;
        throw file_error(
            std::make_error_code(busy ? std::errc::device_or_resource_busy : std::errc::file_exists),
            path_of(file.part_name()));
    }
}

leat::task<> output_place::claim_next(output_file& file) {
    for (;;) {
        auto name = names.take(numbered(file.wanted_, ++file.number_));
        if (!name) {
            continue;
        }
        std::string taken = name->name();
        const bool there = !known.lacks(taken) && co_await info_if_there(std::move(taken));
        if (!there) {
            file.name_ = std::move(*name);
            names.taken_up_to(file.wanted_, file.number_ + 1);
            co_return;
        }
    }
}

leat::task<output_place::finding> output_place::look_at(output_file& file) {
    for (;;) {
        finding found = co_await look_at_name(file);
        if (found == finding::usable && !file.is_there_) {
            found = co_await look_at_note(file);
        }
        if (found == finding::usable && how.take_over && file.found_) {
            co_await check_half(file);
        }
        if (found != finding::changed) {
            co_return found;
        }
    }
}

leat::task<output_place::finding> output_place::look_at_name(output_file& file) {
    const auto there = co_await info_if_there(file.name());
    if (!there) {
        co_return finding::usable;
    }
    if (how.newer && co_await find_whole(file, *there)) {
        co_return finding::usable;
    }
    if (how.take_over && co_await find_half(file, *there)) {
        co_return finding::usable;
    }
    switch (how.when_there) {
        case existing_file::number:
            co_return finding::taken;
        case existing_file::skip:
            file.is_there_ = true;
            co_return finding::usable;
        case existing_file::replace:
            if (there->kind == leat::file_kind::folder) {
                throw file_error(std::make_error_code(std::errc::is_a_directory), path_of(file.name()));
            }
            file.replaces_ = true;
            co_return finding::usable;
        case existing_file::fail:
            break;
    }
    throw file_error(std::make_error_code(std::errc::file_exists), path_of(file.name()));
}

// Of the same URL, or of one that is not known.
leat::task<bool> output_place::find_whole(output_file& file, const leat::file_info& there) {
    if (there.kind != leat::file_kind::regular) {
        co_return false;
    }
    leat::file opened = co_await open(file.name(), {});
    existing found{.about = co_await opened.info(), .note = co_await kept_note_of(opened)};
    const bool same = !found.note || found.is_from(file.origin_.url);
    file.replaces_ = same;
    file.found_ = same ? std::optional(std::move(found)) : std::nullopt;
    co_return same;
}

// What is noted is whole.
leat::task<bool> output_place::find_half(output_file& file, const leat::file_info& there) {
    const bool may_be = co_await find_whole(file, there) && !file.found_->note;
    if (!may_be) {
        file.found_.reset();
        file.replaces_ = false;
    }
    co_return may_be;
}

// Its bytes are those from the start on: aria2 and axel write in several places, and say so beside the file.
leat::task<> output_place::check_half(const output_file& file) {
    for (const char* const suffix : {".aria2", ".st"}) {
        if (co_await info_if_there(file.name() + suffix)) {
            throw file_error(std::make_error_code(std::errc::operation_not_supported),
                             path_of(file.name()) + " may have holes, as of " + file.name() + suffix);
        }
    }
    if (file.has_part_) {
        throw file_error(std::make_error_code(std::errc::file_exists), path_of(file.part_name()));
    }
}

leat::task<output_place::finding> output_place::look_at_note(output_file& file) {
    auto opened = co_await open_if_there(file.note_name(), {.write = true});
    if (!opened) {
        const auto part = co_await info_if_there(file.part_name());
        co_return part && !output_file::may_drop(*part) ? finding::busy : finding::usable;
    }
    const bool locked = co_await opened->try_lock();
    if (!locked) {
        co_return finding::busy;
    }
    const auto about = co_await info_at(*opened, file.note_name());
    if (!about) {
        co_return finding::changed;
    }
    co_return co_await adopt(file, std::move(*opened));
}

leat::task<output_place::finding> output_place::adopt(output_file& file, leat::file note) {
    const std::string text = co_await text_in(note, longest_note + 1);
    const auto told = read_note(text);
    const bool same = told && told->origin.url == file.origin_.url;
    if (told && !same && how.when_there == existing_file::number) {
        co_return finding::busy;  // it may be gone on with, by its own URL
    }
    auto part = co_await open_if_there(file.part_name(), {.read = false, .write = true});
    file.note_ = std::move(note);
    file.has_note_ = true;
    file.note_trusts_ = !text.empty();
    if (!part) {
        co_return finding::usable;
    }
    const leat::file_info about = co_await part->info();
    file.part_ = std::move(*part);
    file.has_part_ = true;
    file.length_ = about.size;
    if (same && how.resume) {
        file.written_ = trusted(*told, about.size, boot);
        file.has_gaps_ = file.written_.end() > file.written_.prefix();
        file.origin_ = told->origin;
        const byte_ranges synced(told->synced);
        file.synced_ = file.written_.holds(synced) ? synced : byte_ranges();
    }
    co_return finding::usable;
}

}  // namespace fetch
