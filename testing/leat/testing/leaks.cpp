// SPDX-License-Identifier: MIT
#include <leat/testing/leaks.hpp>

#include <leat/backends/simulated/simulation.hpp>
#include <leat/backends/slab_pool.hpp>
#include <leat/core/frame_pool.hpp>

#include <filesystem>
#include <iterator>

namespace leat::testing {

namespace {

std::size_t entries_of(const char* folder) {
    const std::filesystem::directory_iterator all(folder);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

template <typename Number>
void add_more(std::string& text, Number before, Number now, const char* what) {
    if (now > before) {
        text += (text.empty() ? "" : ", ") + std::to_string(now - before) + what;
    }
}

}  // namespace

std::size_t open_descriptors() {
    return entries_of("/proc/self/fd") + open_simulated_sockets() + open_simulated_files();
}

resources resources_in_use() {
    return {open_descriptors(),
            leat::detail::frame_pool::in_use() + leat::detail::frame_pool::left_by_ended_threads(),
            slab_pool::living()};
}

std::string leaked_since(const resources& before) {
    const resources now = resources_in_use();
    std::string text;
    add_more(text, before.descriptors, now.descriptors, " open descriptor(s)");
    if (entries_of("/proc/self/task") == 1) {
        add_more(text, before.frames, now.frames, " frame(s) or state(s) of tasks and sockets");
    }
    add_more(text, before.buffer_pools, now.buffer_pools, " buffer pool(s) of which a chunk is held");
    return text;
}

}  // namespace leat::testing
