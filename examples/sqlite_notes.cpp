// SPDX-License-Identifier: MIT
// A database of SQLite in a blocking function. SQLite reads and writes a file, for which nothing can wait:
// its calls hold the thread. So each runs by offload, on a thread of the pool, while the others go on.
// Argument: the file.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/threads/offload.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <sqlite3.h>

namespace {

using database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

int note_number(void* into, int /*columns*/, char** values, char** /*names*/) {
    *static_cast<int*>(into) = std::atoi(values[0]);
    return 0;
}

// The number that `text` gives, or 0.
int ask(sqlite3* notes, const char* text) {
    int number = 0;
    const int result =
        leat::await(leat::offload([&] { return sqlite3_exec(notes, text, note_number, &number, nullptr); }));
    if (result != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(notes));
    }
    return number;
}

int keep_notes(const char* file) {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open(file, &opened);
    const database notes(opened, sqlite3_close);
    if (result != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(opened));
    }
    ask(notes.get(), "create table if not exists note (text)");
    ask(notes.get(),
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) "
        "insert into note select 'note ' || i from n");
    return ask(notes.get(), "select count(*) from note");
}

leat::task<> keep_and_go_on(const char* file) {
    int turns = 0;
    auto keeping = leat::spawn(leat::blocking(keep_notes, file));
    for (; !keeping.done(); ++turns) {
        co_await leat::yield();
    }
    const int count = co_await keeping;
    std::printf("%d notes are kept\n", count);
    std::printf("others went on %s\n", turns > 3 ? "meanwhile" : "only between");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: sqlite_notes FILE\n");
        return 2;
    }
    return leat::run_main([&] { return keep_and_go_on(argv[1]); });
}
