// SPDX-License-Identifier: MIT
#include <leat/stream.hpp>

#include <new>
#include <optional>
#include <string>

namespace leat {

namespace {

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "stream"; }
    std::string message(int value) const override {
        switch (static_cast<stream_errc>(value)) {
            case stream_errc::end_of_stream:
                return "unexpected end of stream";
            case stream_errc::broken:
                return "an earlier send was cut off midway";
            case stream_errc::closed:
                return "the stream is closed";
        }
        return "unknown stream error";
    }
};

}  // namespace

const std::error_category& stream_category() noexcept {
    static const category instance;
    return instance;
}

detail::cut_short::cut_short(std::error_code why, std::string_view what, std::size_t arrived,
                             std::size_t asked)
    : std::system_error(why, std::string(what) + ": " + std::to_string(arrived) + " of " +
                                 std::to_string(asked) + " bytes arrived"),
      what_size_(what.size()),
      arrived_(arrived),
      asked_(asked) {}

void detail::cut_short::rethrow_behind(std::size_t before) const {
    std::optional<cut_short> whole;
    try {
        whole.emplace(code(), std::string_view(what()).substr(0, what_size_), before + arrived_,
                      before + asked_);
    } catch (const std::bad_alloc&) {
    }
    if (whole) {
        throw *whole;
    }
    throw;
}

}  // namespace leat
