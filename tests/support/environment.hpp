// SPDX-License-Identifier: MIT
// A variable of the environment that has another value, or none, for as long as this lives.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace leat::testing {

class changed_variable {
public:
    // Null: without a value.
    changed_variable(const char* name, const char* value) : name_(name) {
        if (const char* const before = std::getenv(name)) {
            before_ = before;
        }
        set(value);
    }
    ~changed_variable() { set(before_ ? before_->c_str() : nullptr); }
    changed_variable(const changed_variable&) = delete;
    changed_variable& operator=(const changed_variable&) = delete;

private:
    void set(const char* value) const {
        if (value != nullptr) {
            ::setenv(name_, value, 1);
        } else {
            ::unsetenv(name_);
        }
    }

    const char* name_;
    std::optional<std::string> before_;
};

}  // namespace leat::testing
