// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"
#include "../cancel_moments.hpp"

#include <leat/backends/system_call.hpp>
#include <leat/system/root_folder.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
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
