// SPDX-License-Identifier: MIT
#include <fetch/files/output_place.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/resume_note.hpp>

#include <leat/io.hpp>

#include <algorithm>
#include <utility>

namespace fetch {

namespace {

// What no note tells of and is not longer was made by a run that died early; what is longer, by somebody
// else.
constexpr std::uint64_t longest_without_note = output_file::buffer_size;

template <typename T>
leat::task<std::optional<T>> if_there(leat::task<T> work) {
    auto found = co_await leat::as_result(std::move(work));
    if (found.error() == std::errc::no_such_file_or_directory) {
        co_return std::nullopt;
    }
    co_return std::move(found).value();
}

}  // namespace

output_place::output_place(std::string where, file_settings settings, std::string this_boot)
    : path(std::move(where)),
      how(settings),
      boot(std::move(this_boot)),
      names(settings.when_there != existing_file::number || settings.only_look) {}

leat::task<leat::file> output_place::open(std::string name, leat::file_options options) {
    options.follow = false;
    return leat::file::open(path_of(name), options);
}

leat::task<std::optional<leat::file>> output_place::open_if_there(std::string name,
                                                                  leat::file_options options) {
    return if_there(open(std::move(name), options));
}

leat::task<std::optional<leat::file_info>> output_place::info_if_there(std::string name) {
    return if_there(leat::link_info_of(path_of(name)));
}

leat::task<std::optional<std::string>> output_place::read_if_there(std::string name, std::size_t limit) {
    auto opened = co_await open_if_there(std::move(name), {});
    if (!opened) {
        co_return std::nullopt;
    }
    std::string text(limit, '\0');
    std::size_t size = 0;
    while (size < limit) {
        const std::size_t got = co_await opened->read_at(size, std::span(text).subspan(size));
        size += got;
        if (got == 0) {
            break;
        }
    }
    text.resize(size);
    co_return text;
}

leat::task<> output_place::remove_if_there(std::string name) {
    const auto removed = co_await leat::as_result(leat::remove_file(path_of(name)));
    if (removed.error() != std::errc::no_such_file_or_directory) {
        removed.value();
    }
}

leat::task<bool> output_place::rename_to_new(std::string from, std::string to) {
    const auto renamed = co_await leat::as_result(leat::rename_to_new(path_of(from), path_of(to)));
    if (renamed.error() == std::errc::file_exists) {
        co_return false;
    }
    if (renamed.error() == std::errc::invalid_argument) {  // as on NFS
        if (co_await info_if_there(to)) {
            co_return false;
        }
        co_await rename(std::move(from), std::move(to));
        co_return true;
    }
    renamed.value();
    co_return true;
}

leat::task<> output_place::rename(std::string from, std::string to) {
    return leat::rename_file(path_of(from), path_of(to));
}

leat::task<> output_place::make_folders(std::string name) {
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
        const auto made = co_await leat::as_result(leat::make_folder(path_of(name.substr(0, slash))));
        if (made.error() != std::errc::file_exists) {
            made.value();
        }
    }
}

// With all that may be new above it.
leat::task<> output_place::sync_folders(std::string name) {
    for (std::size_t slash = name.rfind('/'); slash != std::string::npos; slash = name.rfind('/')) {
        name.resize(slash);
        co_await leat::sync_folder(path_of(name));
    }
    co_await leat::sync_folder(path);
}

leat::task<output_file> output_place::claim(std::string wanted, std::string url) {
    bool for_all = true;  // what is passed by is taken for all that want this name
    for (std::uint64_t number = names.first_number(wanted);; ++number) {
        auto name = names.take(numbered(wanted, number));
        if (!name) {
            continue;
        }
        output_file file(*this, wanted, std::move(*name), number);
        file.origin_.url = url;
        finding found = co_await look_at(file);
        if (found == finding::usable && !file.is_there_) {
            found = co_await look_at_part(file, url);
            for_all = for_all && found == finding::usable;
        }
        if (found == finding::usable) {
            names.remember(file.name());
            if (for_all) {
                names.taken_up_to(wanted, number);
            }
            co_return file;
        }
    }
}

leat::task<> output_place::claim_next(output_file& file) {
    for (;;) {
        auto name = names.take(numbered(file.wanted_, ++file.number_));
        if (!name) {
            continue;
        }
        const std::string taken = name->name();
        const bool there = (co_await info_if_there(taken)).has_value();
        if (!there) {
            file.name_ = std::move(*name);
            names.taken_up_to(file.wanted_, file.number_);
            co_return;
        }
    }
}

leat::task<output_place::finding> output_place::look_at(output_file& file) {
    const auto there = co_await info_if_there(file.name());
    if (!there) {
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
            co_return finding::usable;
        case existing_file::fail:
            break;
    }
    throw file_error(std::make_error_code(std::errc::file_exists), path_of(file.name()));
}

leat::task<output_place::finding> output_place::look_at_part(output_file& file, const std::string& url) {
    auto part = co_await open_if_there(file.part_name(), {.write = true});
    if (!part) {
        co_return finding::usable;
    }
    const finding found = co_await adopt_part(file, std::move(*part), url);
    if (found == finding::taken && how.when_there != existing_file::number) {
        throw file_error(std::make_error_code(std::errc::file_exists), path_of(file.part_name()));
    }
    co_return found;
}

leat::task<output_place::finding> output_place::adopt_part(output_file& file, leat::file part,
                                                           const std::string& url) {
    const leat::file_info about = co_await part.info();
    const auto text = co_await read_if_there(file.note_name(), longest_note + 1);
    const auto told = text ? read_note(*text) : std::nullopt;
    if (!text && about.size > longest_without_note) {
        co_return finding::taken;
    }
    if (told && told->origin.url != url && how.when_there == existing_file::number) {
        co_return finding::taken;  // it may be gone on with, by its own URL
    }
    file.part_ = std::move(part);
    file.has_part_ = true;
    file.has_note_ = text.has_value();
    file.length_ = about.size;
    if (told && told->origin.url == url && how.resume) {
        file.on_disk_ = trusted(*told, about.size, boot);
        file.origin_ = told->origin;
        if (file.on_disk_ > 0 && !told->synced.empty() && told->synced.front().begin == 0) {
            file.synced_ = std::min(told->synced.front().end, file.on_disk_);
        }
    }
    file.note_trusts_ = told && !told->synced.empty();
    co_return finding::usable;
}

}  // namespace fetch
