// SPDX-License-Identifier: MIT
#include "../../examples/fetch_output.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include <stdlib.h>

namespace {

std::size_t looks = 0;

class temporary_folder {
public:
    temporary_folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() { ::rmdir(path_.c_str()); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_ = "/tmp/leat-fetch-XXXXXX";
};

std::string name_of(const std::string& target) {
    return fetch::file_name(leat::http::url::parse("http://h" + target));
}

}  // namespace

// In the place of the C library's.
extern "C" int lstat(const char* path, struct stat* found) noexcept {
    ++looks;
    return ::fstatat(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW);
}

TEST_CASE("however many URLs ask for one name, each number is looked at once, also where files are there") {
    const temporary_folder where;
    constexpr int there = 100;
    constexpr int asked = 4000;
    for (int number = 0; number < there; ++number) {
        const std::string end = number == 0 ? "" : "." + std::to_string(number);
        std::ofstream(where.path() + "/same" + end) << "mine";
    }
    fetch::output_folder folder(where.path());
    looks = 0;
    for (int number = there; number < there + asked; ++number) {
        REQUIRE(folder.free_name("same") == "same." + std::to_string(number));
    }
    CHECK(looks == there + asked);
    for (int number = 0; number < there; ++number) {
        ::unlink((where.path() + "/same" + (number == 0 ? "" : "." + std::to_string(number))).c_str());
    }
}

TEST_CASE("a file that is not kept is gone, and one whose name was taken meanwhile gets the next") {
    const temporary_folder where;
    fetch::output_folder folder(where.path());
    const auto there = [&](const std::string& name) {
        return ::access((where.path() + "/" + name).c_str(), F_OK) == 0;
    };
    {
        fetch::output_file dropped(folder, "a");
        dropped.open();
        dropped.write("half");
        CHECK(there("a.part"));
    }
    CHECK_FALSE(there("a.part"));
    fetch::output_file kept(folder, "b");
    kept.open();
    std::ofstream(where.path() + "/b") << "mine";
    kept.keep();
    CHECK(kept.name() == "b.1");
    CHECK(there("b"));
    CHECK(there("b.1"));
    CHECK_FALSE(there("b.part"));
    ::unlink((where.path() + "/b").c_str());
    ::unlink((where.path() + "/b.1").c_str());
}

TEST_CASE("what is no UTF-8 becomes _ in a file's name, byte for byte, and no character is cut in two") {
    CHECK(name_of("/%E2%82%AC%F0%9F%98%80") == "\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK(name_of("/a%C0%AFb") == "a__b");          // overlong slash
    CHECK(name_of("/a%ED%A0%80b") == "a___b");      // half of a surrogate pair
    CHECK(name_of("/a%F4%90%80%80b") == "a____b");  // beyond Unicode
    CHECK(name_of("/a%E2%82") == "a__");            // ends too early
    CHECK(name_of("/a%80b") == "a_b");
    CHECK(name_of("/a%D8%9Cb%E2%80%AEc") == "a_b_c");  // they change the order of text
    for (const std::string before : {"", "x", "xx", "xxx"}) {
        std::string target = "/" + before;
        for (int i = 0; i < 100; ++i) {
            target += "%F0%9F%98%80";
        }
        const std::string name = name_of(target);
        CHECK(name.size() <= fetch::name_max);
        CHECK((name.size() - before.size()) % 4 == 0);
        CHECK(name.size() + 4 > fetch::name_max);
    }
}
