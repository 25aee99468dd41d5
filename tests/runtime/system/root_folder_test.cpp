// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"
#include "../cancel_moments.hpp"

#include <leat/backends/system_call.hpp>
#include <leat/system/root_folder.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <sys/stat.h>

using leat::root_folder;
using leat::task;
using leat::testing::any_folder;

namespace {

// The text of the file, or the message of the error.
task<std::string> text_of(const root_folder& root, std::string path) {
    auto opened = co_await leat::as_result(root.open_file(std::move(path)));
    if (!opened.ok()) {
        co_return opened.error().message();
    }
    std::string text(100, '\0');
    text.resize(co_await opened->read_at(0, text));
    co_return text;
}

task<> makes_no_folder(const root_folder& root) {
    for (const char* path : {"new/", "below/new//", "below/"}) {
        const auto made = co_await leat::as_result(root.open_file(path, {.write = true, .create = true}));
        CHECK_MESSAGE(made.error() == std::errc::is_a_directory, path);
    }
    const auto none = co_await leat::as_result(root.open_file("new"));
    CHECK(none.error() == std::errc::no_such_file_or_directory);
}

task<> make_site(const any_folder& where) {
    co_await where.make();
    co_await leat::write_file(where.path("secret"), "secret");
    co_await leat::make_folder(where.path("root"));
    co_await leat::write_file(where.path("root/page"), "page");
    co_await leat::make_folder(where.path("root/below"));
    co_await leat::write_file(where.path("root/below/deep"), "deep");
}

constexpr const char* outside = "Invalid cross-device link";

void add_links(const any_folder& where) {
    namespace fs = std::filesystem;
    fs::create_symlink("../secret", where.path("root/out"));
    fs::create_symlink(where.path("secret"), where.path("root/absolute"));
    fs::create_symlink("..", where.path("root/up"));
    fs::create_symlink("below/deep", where.path("root/inside"));
    fs::create_symlink("below", where.path("root/other"));
}

// Makes the kernel lack openat2(2), by the error `number`.
template <int number>
class without_openat2 {
public:
    without_openat2() : before_(std::exchange(leat::system_call::openat2, refuse)) {}
    without_openat2(const without_openat2&) = delete;
    without_openat2& operator=(const without_openat2&) = delete;
    ~without_openat2() { leat::system_call::openat2 = before_; }

private:
    static long refuse(int /*folder*/, const char* /*path*/, const open_how& /*how*/) {
        errno = number;
        return -1;
    }

    decltype(leat::system_call::openat2) before_;
};

template <int number>
task<> opens_without_openat2() {
    const without_openat2<number> lacking;
    any_folder where;
    co_await make_site(where);
    add_links(where);
    const auto root = co_await root_folder::open(where.path("root"));
    for (const auto& [path, expected] : {std::pair{"page", "page"},
                                         {"below/deep", "deep"},
                                         {"below//./deep", "deep"},
                                         {"inside", "Too many levels of symbolic links"},
                                         {"other/deep", "Not a directory"},
                                         {"out", "Too many levels of symbolic links"},
                                         {"up/secret", "Not a directory"},
                                         {"below/../page", outside},
                                         {"/etc/passwd", outside},
                                         {"", "No such file or directory"},
                                         {"below", "Is a directory"},
                                         {"below/", "Is a directory"},
                                         {"page/", "Not a directory"},
                                         {"page/x", "Not a directory"},
                                         {"none", "No such file or directory"}}) {
        const std::string text = co_await text_of(root, path);
        CHECK_MESSAGE(text == expected, path);
    }
    const std::string long_name = co_await text_of(root, std::string(300, 'x') + "/y");
    CHECK(long_name == "File name too long");
    co_await makes_no_folder(root);
}

}  // namespace

LEAT_TEST("what is below a root is opened by its path, and nothing else") {
    any_folder where;
    co_await make_site(where);
    const auto root = co_await root_folder::open(where.path("root"));
    CHECK(root.path() == where.path("root"));
    for (const auto& [path, expected] : {std::pair{"page", "page"},
                                         {"below/deep", "deep"},
                                         {"./below//deep", "deep"},
                                         {"below/../page", "page"},
                                         {"../secret", outside},
                                         {"below/../../secret", outside},
                                         {"..", outside},
                                         {"/etc/passwd", outside},
                                         {"", "No such file or directory"},
                                         {"below", "Is a directory"},
                                         {"page/", "Not a directory"},
                                         {"none", "No such file or directory"}}) {
        const std::string text = co_await text_of(root, path);
        CHECK_MESSAGE(text == expected, path);
    }
    const auto zero = co_await leat::as_result(root.open_file(std::string("page\0x", 6)));
    CHECK(zero.error() == std::errc::invalid_argument);
    const auto missing = co_await leat::as_result(root.open_file("none"));
    CHECK(missing.error_text() == "open " + where.path("root/none") + ": No such file or directory");
    const auto file = co_await leat::as_result(root_folder::open(where.path("secret")));
    CHECK(file.error() == std::errc::not_a_directory);
    co_await makes_no_folder(root);
}

LEAT_TEST("links lead within a root, not out of it", on(leat::testing::kernel)) {
    any_folder where;
    co_await make_site(where);
    add_links(where);
    const auto root = co_await root_folder::open(where.path("root"));
    for (const auto& [path, expected] : {std::pair{"inside", "deep"},
                                         {"other/deep", "deep"},
                                         {"out", outside},
                                         {"absolute", outside},
                                         {"up/secret", outside},
                                         {"up/root/page", outside}}) {
        const std::string text = co_await text_of(root, path);
        CHECK_MESSAGE(text == expected, path);
    }
    const auto link = co_await leat::as_result(root.open_file("inside", {.follow = false}));
    CHECK(link.error() == std::errc::too_many_symbolic_link_levels);
}

LEAT_TEST("without openat2 no link is followed", on(leat::testing::epoll, leat::testing::poll)) {
    co_await opens_without_openat2<ENOSYS>();
    co_await opens_without_openat2<EPERM>();
}

LEAT_TEST("a FIFO below a root is refused, and holds up nobody", on(leat::testing::kernel)) {
    any_folder where;
    co_await make_site(where);
    REQUIRE(::mkfifo(where.path("root/fifo").c_str(), 0600) == 0);
    const auto root = co_await root_folder::open(where.path("root"));
    const auto refused = co_await leat::as_result(root.open_file("fifo"));
    CHECK(refused.error() == std::errc::operation_not_supported);
}

LEAT_TEST("a file is found with what is known of it, and made below a root") {
    any_folder where;
    co_await make_site(where);
    const auto root = co_await root_folder::open(where.path("root"));
    auto found = co_await root.find_file("below/deep");
    CHECK(found.info.size == 4);
    CHECK(found.info.kind == leat::file_kind::regular);
    const auto again = co_await found.opened.info();
    CHECK(again.number == found.info.number);
    CHECK(again.modified == found.info.modified);

    const root_folder copy = root;
    auto made = co_await copy.open_file("new", {.write = true, .create = true, .permissions = 0600});
    co_await made.write_at(0, "text");
    const auto about = co_await leat::file_info_of(where.path("root/new"));
    CHECK(about.size == 4);
    CHECK(about.permissions == 0600);
}

LEAT_TEST("a root stays the folder that it was when that is renamed") {
    any_folder where;
    co_await make_site(where);
    const auto root = co_await root_folder::open(where.path("root"));
    co_await leat::rename_file(where.path("root"), where.path("moved"));
    co_await leat::make_folder(where.path("root"));
    const std::string text = co_await text_of(root, "page");
    CHECK(text == "page");
}

namespace {

class find_trial : public cancel_tests::trial {
public:
    static constexpr bool ends_by_itself = true;

    task<> prepare() {
        co_await make_site(where_);
        root_ = co_await root_folder::open(where_.path("root"));
    }
    task<> attempt() {
        const auto found = co_await root_.find_file("below/deep");
        delivered();
        CHECK(found.info.size == 4);
    }
    void enable() {}
    task<> verify(const std::string& where) {
        const std::string text = co_await text_of(root_, "below/deep");
        CHECK_MESSAGE(text == "deep", where);
    }

private:
    any_folder where_;
    root_folder root_;
};

}  // namespace

CANCEL_TESTS("an open below a root", find_trial)

namespace {

template <typename T>
task<std::string> error_of(task<T> work) {
    const auto done = co_await leat::as_result(std::move(work));
    co_return done.ok() ? "none" : done.error().message();
}

// What each call that changes a name says of `path`.
task<std::array<std::string, 7>> changes_of(const root_folder& root, std::string path) {
    co_return {co_await error_of(root.link_info_of(path)),
               co_await error_of(root.make_folder(path)),
               co_await error_of(root.write_new_file(path, "x")),
               co_await error_of(root.rename_file("page", path)),
               co_await error_of(root.rename_to_new(path, "page")),
               co_await error_of(root.remove_file(path)),
               co_await error_of(root.remove_folder(path))};
}

task<> changes_nothing_outside(const any_folder& where, const root_folder& root) {
    for (const char* path : {"../secret", "below/../../secret", "..", "/tmp/x", "below/../.."}) {
        const auto errors = co_await changes_of(root, path);
        for (const std::string& each : errors) {
            CHECK_MESSAGE(each == outside, path);
        }
    }
    for (const char* path : {"", ".", "below/", "below/."}) {
        const auto errors = co_await changes_of(root, path);
        for (const std::string& each : errors) {
            const bool refused = each == "Invalid argument" || each == "No such file or directory";
            CHECK_MESSAGE(refused, path);
        }
    }
    const std::string secret = co_await leat::read_file(where.path("secret"), 100);
    CHECK(secret == "secret");
    const std::string page = co_await text_of(root, "page");
    CHECK(page == "page");
}

}  // namespace

namespace {

task<> makes_files(const root_folder& root) {
    const std::chrono::system_clock::time_point then(std::chrono::seconds(1'700'000'000));
    co_await root.make_folders("a/b/c");
    co_await root.make_folders("a/b/c");
    co_await root.make_folders("flat");
    co_await root.write_new_file("a/b/c/new", "text", {.permissions = 0600, .sync = true, .modified = then});
    const auto about = co_await root.link_info_of("a/b/c/new");
    CHECK(about.size == 4);
    CHECK(about.permissions == 0600);
    CHECK(about.modified.time_since_epoch() == then.time_since_epoch());
    const auto again = co_await error_of(root.write_new_file("a/b/c/new", "other"));
    CHECK(again == "File exists");
    co_await root.write_new_file("empty", "");
}

task<> changes_names(const any_folder& where, const root_folder& root) {
    co_await makes_files(root);
    co_await root.rename_to_new("a/b/c/new", "flat/new");
    const auto taken = co_await error_of(root.rename_to_new("page", "flat/new"));
    CHECK(taken == "File exists");
    co_await root.rename_file("page", "flat/new");
    const std::string page = co_await text_of(root, "flat/new");
    CHECK(page == "page");
    const auto full = co_await error_of(root.remove_folder("flat"));
    CHECK(full == "Directory not empty");
    co_await root.remove_file("flat/new");
    co_await root.remove_folder("flat");
    const auto gone = co_await error_of(root.link_info_of("flat"));
    CHECK(gone == "No such file or directory");
    const auto deep = co_await root.open_folder("a/b");
    CHECK(deep.path() == where.path("root/a/b"));
    co_await deep.write_new_file("here", "here");
    co_await deep.sync();
    const std::string here = co_await text_of(root, "a/b/here");
    CHECK(here == "here");
    const auto above = co_await error_of(deep.remove_file("../../empty"));
    CHECK(above == outside);
}

}  // namespace

LEAT_TEST("names below a root are changed, and none outside it") {
    any_folder where;
    co_await make_site(where);
    const auto root = co_await root_folder::open(where.path("root"));
    co_await changes_nothing_outside(where, root);
    co_await changes_names(where, root);
    const auto file = co_await error_of(root.open_folder("empty"));
    CHECK(file == "Not a directory");
}

LEAT_TEST("no name is changed through a link", on(leat::testing::kernel)) {
    any_folder where;
    co_await make_site(where);
    add_links(where);
    const auto root = co_await root_folder::open(where.path("root"));
    for (const char* path : {"other/deep", "up/secret"}) {
        const auto errors = co_await changes_of(root, path);
        for (const std::string& each : errors) {
            const bool refused = each == "Too many levels of symbolic links" || each == "Not a directory";
            CHECK_MESSAGE(refused, path, ": ", each);
        }
    }
    for (const char* path : {"out", "absolute"}) {
        const auto stored = co_await error_of(root.write_new_file(path, "x"));
        CHECK(stored == "File exists");
    }
    const auto refused = co_await error_of(root.open_file("other/deep", {.follow = false}));
    CHECK(refused == "Too many levels of symbolic links");
    const auto folder = co_await error_of(root.open_folder("other"));
    const bool is_refused = folder == "Too many levels of symbolic links" || folder == "Not a directory";
    CHECK(is_refused);
    const auto about = co_await root.link_info_of("out");
    CHECK(about.kind == leat::file_kind::link);
    co_await root.remove_file("out");
    const std::string secret = co_await leat::read_file(where.path("secret"), 100);
    CHECK(secret == "secret");
}

LEAT_TEST("without openat2 names below a root are changed by steps",
          on(leat::testing::epoll, leat::testing::poll)) {
    const without_openat2<ENOSYS> lacking;
    any_folder where;
    co_await make_site(where);
    const auto root = co_await root_folder::open(where.path("root"));
    co_await changes_nothing_outside(where, root);
    co_await changes_names(where, root);
}

namespace {

class store_trial : public cancel_tests::trial {
public:
    static constexpr bool ends_by_itself = true;

    task<> prepare() {
        co_await make_site(where_);
        root_ = co_await root_folder::open(where_.path("root"));
    }
    task<> attempt() {
        co_await root_.write_new_file("below/new", text_);
        delivered();
    }
    void enable() {}
    task<> verify(const std::string& where) {
        const auto about = co_await leat::as_result(root_.link_info_of("below/new"));
        CHECK_MESSAGE((about.ok() || deliveries() == 0), where);
        if (about.ok()) {
            CHECK_MESSAGE(about->size == text_.size(), where);
            co_await root_.remove_file("below/new");
        }
    }

private:
    any_folder where_;
    root_folder root_;
    std::string text_ = std::string(100'000, 'x');
};

}  // namespace

CANCEL_TESTS("a new file below a root", store_trial)
