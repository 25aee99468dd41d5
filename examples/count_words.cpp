// SPDX-License-Identifier: MIT
// Counts the lines, words and bytes of all files below a folder, several files at once.
#include "command_line.hpp"

#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>

#include <cinttypes>
#include <cstdint>
#include <cstdio>

namespace {

constexpr std::size_t files_at_once = 16;
constexpr std::size_t piece_size = 64 * 1024;

struct counts {
    std::uint64_t lines = 0;
    std::uint64_t words = 0;
    std::uint64_t bytes = 0;

    counts& operator+=(const counts& other) {
        lines += other.lines;
        words += other.words;
        bytes += other.bytes;
        return *this;
    }
};

leat::task<counts> count_file(std::string path) {
    counts found;
    auto file = co_await leat::file::open(path);
    std::string piece(piece_size, '\0');
    bool in_word = false;
    for (;;) {
        const std::size_t size = co_await file.read_at(found.bytes, piece);
        if (size == 0) {
            co_return found;
        }
        for (const char each : std::string_view(piece).substr(0, size)) {
            const bool is_space = each == ' ' || (each >= '\t' && each <= '\r');
            found.lines += each == '\n' ? 1 : 0;
            found.words += !is_space && !in_word ? 1 : 0;
            in_word = !is_space;
        }
        found.bytes += size;
    }
}

leat::task<> add_files_below(std::string folder, std::vector<std::string>& paths) {
    const auto entries = co_await leat::list_folder(folder);
    for (const leat::folder_entry& entry : entries) {
        const std::string path = folder + "/" + entry.name;
        if (entry.kind == leat::file_kind::folder) {
            co_await add_files_below(path, paths);
        } else if (entry.kind == leat::file_kind::regular) {
            paths.push_back(path);
        }
    }
}

leat::task<> count_all(std::string folder) {
    std::vector<std::string> paths;
    co_await add_files_below(folder, paths);
    counts total;
    co_await leat::for_each_concurrently(paths, files_at_once, [&](std::string path) -> leat::task<> {
        const counts found = co_await count_file(path);
        total += found;
    });
    std::printf("%zu files, %" PRIu64 " lines, %" PRIu64 " words, %" PRIu64 " bytes\n", paths.size(),
                total.lines, total.words, total.bytes);
}

}  // namespace

int main(int argc, char** argv) {
    std::string folder = ".";
    std::string backend;
    examples::command_line command("count_words", "Counts the words of all files below a folder.");
    command.add("folder", folder, "the folder", examples::kind::existing_directory);
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return count_all(folder); }, {.backend = backend});
}
