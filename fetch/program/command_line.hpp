// SPDX-License-Identifier: MIT
// command_line: what leat-fetch is asked to do. CLI11 reads it; it is included by command_line.cpp only.
#pragma once

#include <fetch/engine/settings.hpp>
#include <fetch/program/client_settings.hpp>
#include <fetch/views/views.hpp>

#include <string>
#include <vector>

namespace fetch {

struct command {
    std::vector<std::string> urls = {};
    std::vector<std::string> lists = {};
    settings how = {};
    client_settings client = {};
    view_options shown = {};
    bool explain = false;              // the URLs of the arguments, one after the other (explain.hpp)
    std::string failed_list = {};      // where failed jobs are written, as a list; empty: nowhere
    std::string checksums = {};        // a list of those that files must have; empty: none
    std::string write_checksums = {};  // where those of all files are written; empty: nowhere
    std::string backend = {};
};

// True: go on. Otherwise `status` is what main returns: 0 after --help and --version, 1 when that could not
// be written, 2 for bad arguments, which are explained in one line.
[[nodiscard]] bool read_command_line(int argc, char** argv, command& into, int& status);

}  // namespace fetch
