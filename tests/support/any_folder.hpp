// SPDX-License-Identifier: MIT
// any_folder: a new folder for the files of one test, on the disk or in the simulation that the test runs on.
#pragma once

#include <leat/io.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/simulation.hpp>

#include "folder.hpp"

#include <optional>
#include <string>

namespace leat::testing {

class any_folder {
public:
    any_folder() {
        if (!leat::detail::in_simulation()) {
            real_.emplace();
        }
    }

    // Makes it where that takes a call.
    task<> make() const {
        if (!real_.has_value()) {
            co_await make_folder(path());
        }
    }
    [[nodiscard]] std::string path() const { return real_.has_value() ? real_->path() : "/tmp/test"; }
    [[nodiscard]] std::string path(std::string_view name) const { return path() + "/" + std::string(name); }

private:
    std::optional<folder> real_;
};

}  // namespace leat::testing
