// SPDX-License-Identifier: MIT
// Calls on files, cancelled at each moment on each backend: what was cancelled has not happened, and what has
// happened is told.
#include "../../support/any_folder.hpp"
#include "../cancel_moments.hpp"

#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <string>

using cancel_tests::trial;
using leat::file;
using leat::task;
using leat::testing::any_folder;

namespace {

// What needs nobody to end it, in a folder of its own.
class file_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;

    task<> prepare() {
        co_await where_.make();
        co_await leat::write_file(where_.path("0"), "text");
        open_ = co_await file::open(where_.path("0"), {.write = true});
    }
    void enable() {}
    task<> finish() { co_await open_.close(); }

protected:
    [[nodiscard]] std::string path(int number) const { return where_.path(std::to_string(number)); }
    file& opened() { return open_; }

private:
    any_folder where_;
    file open_;
};

struct read_trial : file_trial {
    task<> attempt() {
        text = std::string(4, '\0');
        const std::size_t size = co_await opened().read_at(0, text);
        delivered();
        CHECK(size == 4);
    }
    task<> verify(const std::string& where) {
        CHECK_MESSAGE(text == "text", where);
        co_return;
    }
    std::string text;
};

struct write_trial : file_trial {
    task<> attempt() {
        const std::string bytes(5000, static_cast<char>('a' + deliveries()));
        co_await opened().write_at(0, bytes);
        delivered();
    }
    task<> verify(const std::string& where) {
        std::string bytes(5000, '\0');
        co_await opened().read_exactly_at(0, bytes);
        CHECK_MESSAGE((bytes == std::string(5000, static_cast<char>('a' + deliveries() - 1))), where);
    }
};

struct sync_trial : file_trial {
    task<> attempt() {
        co_await opened().sync();
        delivered();
    }
    task<> verify(const std::string& /*where*/) { co_await opened().write_at(0, "more"); }
};

struct open_trial : file_trial {
    task<> attempt() {
        again = co_await file::open(path(0));
        delivered();
    }
    task<> verify(const std::string& where) {
        CHECK_MESSAGE(again.is_open(), where);
        again = file();
        co_return;
    }
    file again;
};

// A second time it would not find the old name.
struct rename_trial : file_trial {
    task<> attempt() {
        const int number = deliveries();
        co_await leat::rename_file(path(number), path(number + 1));
        delivered();
    }
    task<> verify(const std::string& where) {
        const bool there = co_await leat::path_exists(path(deliveries()));
        CHECK_MESSAGE(there, where);
    }
};

struct list_trial : file_trial {
    task<> attempt() {
        const std::string all = path(0).substr(0, path(0).size() - 2);
        entries = co_await leat::list_folder(all);
        delivered();
    }
    task<> verify(const std::string& where) {
        CHECK_MESSAGE(entries.size() == 1, where);
        co_return;
    }
    std::vector<leat::folder_entry> entries;
};

}  // namespace

CANCEL_TESTS("a read of a file", read_trial)
CANCEL_TESTS("a write to a file", write_trial)
CANCEL_TESTS("a sync of a file", sync_trial)
CANCEL_TESTS("an open of a file", open_trial)
CANCEL_TESTS("a rename", rename_trial)
CANCEL_TESTS("a list of a folder", list_trial)

LEAT_TEST("a close that is cancelled closes all the same") {
    any_folder where;
    co_await where.make();
    co_await leat::write_file(where.path("one"), "text");
    for (const bool begun : {false, true}) {
        auto one = std::make_unique<file>(co_await file::open(where.path("one"), {.write = true}));
        auto closing = leat::spawn(one->close());
        if (begun) {
            co_await leat::yield();
        }
        closing.cancel();
        (void)co_await closing.join();
        CHECK(!one->is_open());
    }
}
