// SPDX-License-Identifier: MIT
#include <leat/framing/error.hpp>

#include <string>

namespace leat {

namespace {

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "framing"; }
    std::string message(int value) const override {
        switch (static_cast<framing_errc>(value)) {
            case framing_errc::too_long:
                return "too long";
            case framing_errc::bad_length:
                return "not a length";
            case framing_errc::empty_message:
                return "an empty message";
            case framing_errc::contains_terminator:
                return "the terminator is inside the message";
        }
        return "unknown framing error";
    }
};

}  // namespace

const std::error_category& framing_category() noexcept {
    static const category instance;
    return instance;
}

}  // namespace leat
