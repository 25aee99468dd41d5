// SPDX-License-Identifier: MIT
#include <leat/threads/processors.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <sched.h>
#include <stdlib.h>

namespace {

// A tree of control groups as the kernel would show it, for as long as it lives.
class fake_cgroups {
public:
    fake_cgroups() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-cgroups-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        root_ = name;
    }
    ~fake_cgroups() { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) const {
        const std::filesystem::path file = root_ + "/" + path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    [[nodiscard]] unsigned granted(const std::string& cgroups) const {
        return leat::detail::processors_granted(cgroups, root_);
    }

private:
    std::string root_;
};

}  // namespace

TEST_CASE("cpu.max grants its quota in processors, rounded up") {
    const fake_cgroups groups;
    groups.write("shop/web/cpu.max", "150000 100000\n");
    CHECK(groups.granted("0::/shop/web\n") == 2);
    groups.write("shop/web/cpu.max", "300000 100000\n");
    CHECK(groups.granted("0::/shop/web\n") == 3);
    groups.write("shop/web/cpu.max", "1000 100000\n");
    CHECK(groups.granted("0::/shop/web\n") == 1);
}

TEST_CASE("the least quota of a group and of those around it counts") {
    const fake_cgroups groups;
    groups.write("cpu.max", "900000 100000\n");
    groups.write("shop/cpu.max", "200000 100000\n");
    groups.write("shop/web/cpu.max", "max 100000\n");
    CHECK(groups.granted("0::/shop/web\n") == 2);
    CHECK(groups.granted("0::/\n") == 9);
}

TEST_CASE("without a quota, or with what is no quota, nothing is granted in particular") {
    const fake_cgroups groups;
    groups.write("cpu.max", "max 100000\n");
    CHECK(groups.granted("0::/\n") == 0);
    CHECK(groups.granted("0::/gone\n") == 0);
    CHECK(groups.granted("") == 0);
    CHECK(groups.granted("nonsense\n::\n7\n") == 0);
    groups.write("odd/cpu.max", "-5 0\n");
    CHECK(groups.granted("0::/odd\n") == 0);
}

TEST_CASE("version 1 tells quota and period apart, under the names of its controllers") {
    const fake_cgroups groups;
    groups.write("cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n");
    groups.write("cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
    CHECK(groups.granted("5:memory:/other\n3:cpu,cpuacct:/box\n") == 3);
    groups.write("cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
    CHECK(groups.granted("3:cpu,cpuacct:/box\n") == 0);
    CHECK(groups.granted("3:cpuset:/box\n") == 0);
}

TEST_CASE("in a container the path is the host's, and the mount shows the group itself") {
    const fake_cgroups groups;
    groups.write("cpu/cpu.cfs_quota_us", "400000\n");
    groups.write("cpu/cpu.cfs_period_us", "100000\n");
    CHECK(groups.granted("4:cpu,cpuacct:/docker/0123456789\n0::/\n") == 4);
}

TEST_CASE("a pinned thread runs on one processor, and usable_processors() does not depend on it") {
    const unsigned usable = leat::usable_processors();
    CHECK(usable >= 1);
    std::thread([usable] {
        cpu_set_t set;
        leat::detail::run_on_processor(7);
        REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
        CHECK(CPU_COUNT(&set) == 1);
        CHECK(leat::usable_processors() == usable);
        leat::detail::run_on_any_processor();
        REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
        CHECK(static_cast<unsigned>(CPU_COUNT(&set)) >= usable);
    }).join();
}
