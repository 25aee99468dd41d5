// SPDX-License-Identifier: MIT
#include <leat/stream.hpp>

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

}  // namespace leat
