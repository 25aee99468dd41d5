// SPDX-License-Identifier: MIT
// simulated_files: the open files of a simulation, by descriptor, and how calls on files are done. The files
// themselves are in the file system of a host.
// Invariant: a descriptor that is closed is the next one given when it is the lowest.
#pragma once

#include <leat/backends/simulated/hosts.hpp>
#include <leat/backends/simulated/wire.hpp>

#include <map>
#include <memory>

namespace leat {

class simulated_files {
public:
    // A call that has begun and is not over.
    struct call {
        file_operation* op;
        int host;
        bool done = false;  // its result is in it; it is told later
    };

    simulated_files(simulated_wire& wire, simulated_hosts& hosts, int first_descriptor,
                    const simulation_options& options) noexcept
        : wire_(wire), hosts_(hosts), first_(first_descriptor), options_(options) {}
    ~simulated_files();
    simulated_files(const simulated_files&) = delete;
    simulated_files& operator=(const simulated_files&) = delete;

    // The host that `op` is about: that of its file, or of the running task.
    [[nodiscard]] int host_of(const file_operation& op) noexcept;
    [[nodiscard]] duration time_of(const file_operation& op, int host) noexcept;
    // Does it, with faults.
    void perform(const call& what) noexcept;
    [[nodiscard]] bool close(int fd) noexcept;
    // Its files are not open any more, for those who use them.
    void crash(int host);
    [[nodiscard]] std::size_t open_files() const noexcept { return open_.size(); }

    std::map<std::uint32_t, call> calls;  // under way, by number
    std::uint32_t numbers = 0;

private:
    struct open_file {
        simulated_file_system::node node;
        int flags;
        int host;
        bool dead = false;  // its host has crashed
    };

    [[nodiscard]] std::int64_t performed(file_operation& op, int host);
    [[nodiscard]] std::int64_t open(const file_operation& op, int host,
                                    const simulated_file_system::node& below = nullptr);
    [[nodiscard]] std::int64_t on_name(file_operation& op, simulated_file_system& files,
                                       const simulated_file_system::node& below);
    [[nodiscard]] std::int64_t store(const file_operation& op, simulated_file_system& files,
                                     const simulated_file_system::node& below);
    [[nodiscard]] std::int64_t on_file(file_operation& op, open_file& on, simulated_file_system& files);
    [[nodiscard]] std::int64_t read(const file_operation& op, const open_file& on);
    [[nodiscard]] std::int64_t write(const file_operation& op, const open_file& on,
                                     simulated_file_system& files);
    [[nodiscard]] std::int64_t sync(const open_file& on, simulated_file_system& files);
    [[nodiscard]] std::size_t length_of(const file_operation& op) noexcept;
    [[nodiscard]] simulated_file_system::wall_time wall_now() const noexcept;

    simulated_wire& wire_;
    simulated_hosts& hosts_;
    const int first_;
    const simulation_options& options_;
    std::map<int, open_file> open_;
};

}  // namespace leat
