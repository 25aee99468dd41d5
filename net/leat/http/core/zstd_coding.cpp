// SPDX-License-Identifier: MIT
#include <leat/http/core/content_coding.hpp>

#include <leat/http/error.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#if LEAT_HAS_ZSTD
#include <zstd.h>
#endif

// Theory of operation. Content is one frame or several (RFC 8878 3). What stands behind a frame and does not
// begin like one is ignored, as it is behind other codings; so the four bytes there are compared here before
// the library, which would call them an error, gets them.

namespace leat::http::detail {

#if LEAT_HAS_ZSTD
namespace {

constexpr int window_log_max = 23;  // 8 MiB: RFC 9659

class zstd_coding final : public content_coding {
public:
    zstd_coding() : decoder_(::ZSTD_createDCtx()) {
        if (decoder_ == nullptr ||
            ::ZSTD_isError(::ZSTD_DCtx_setParameter(decoder_, ZSTD_d_windowLogMax, window_log_max)) != 0) {
            ::ZSTD_freeDCtx(decoder_);
            throw std::bad_alloc();
        }
    }
    ~zstd_coding() override { ::ZSTD_freeDCtx(decoder_); }

    result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
        begun_ = begun_ || !input.empty();
        ::ZSTD_outBuffer to{output.data(), output.size(), 0};
        do {
            if (place_ == place::behind_frame) {
                look_for_frame(input);
            }
            if (place_ != place::in_frame) {
                input = {};
                return to.pos;
            }
            if (magic_size_ > 0 && !step({magic_.data(), std::exchange(magic_size_, 0)}, to)) {
                return make_error_code(error::corrupt_content);
            }
            const auto taken = step(input, to);
            if (!taken) {
                return make_error_code(error::corrupt_content);
            }
            input.remove_prefix(*taken);
        } while (to.pos == 0 && !input.empty());
        return to.pos;
    }

    [[nodiscard]] bool complete() const noexcept override { return place_ != place::in_frame || !begun_; }

private:
    enum class place : unsigned char { in_frame, behind_frame, behind_all };

    // Compares what follows a frame with what a further one begins with.
    void look_for_frame(std::string_view& input) {
        while (!input.empty() && magic_size_ < magic_.size()) {
            magic_[magic_size_++] = input.front();
            input.remove_prefix(1);
            if (!may_begin_frame()) {
                place_ = place::behind_all;
                input = {};
            }
        }
        if (place_ == place::behind_frame && magic_size_ == magic_.size()) {
            place_ = place::in_frame;
        }
    }
    [[nodiscard]] bool may_begin_frame() const noexcept {
        constexpr std::string_view frame = "\x28\xb5\x2f\xfd";
        constexpr std::string_view skippable = "\x50\x2a\x4d\x18";  // to 5f
        std::array<char, 4> seen = magic_;
        const std::string_view text(seen.data(), magic_size_);
        if (frame.starts_with(text)) {
            return true;
        }
        seen[0] = static_cast<char>(seen[0] & 0xf0);
        return skippable.starts_with(text);
    }

    // How many bytes were taken; nothing after an error.
    std::optional<std::size_t> step(std::string_view bytes, ::ZSTD_outBuffer& to) {
        ::ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
        const std::size_t before = to.pos;
        const std::size_t hint = ::ZSTD_decompressStream(decoder_, &to, &from);
        if (::ZSTD_isError(hint) != 0) {
            return std::nullopt;
        }
        head_size_ += bytes.copy(head_.data() + head_size_, std::min(from.pos, head_.size() - head_size_));
        frame_bytes_ += to.pos - before;
        if (hint == 0) {
            place_ = place::behind_frame;
            if (!is_as_long_as_told()) {
                return std::nullopt;
            }
        }
        return from.pos;
    }

    // zstd 1.5.4 takes a frame that ends with an empty block for whole, whatever length its head tells,
    // unless all of it comes at once.
    bool is_as_long_as_told() noexcept {
        const auto told = ::ZSTD_getFrameContentSize(head_.data(), std::exchange(head_size_, 0));
        const std::uint64_t size = std::exchange(frame_bytes_, 0);
        return told == ZSTD_CONTENTSIZE_UNKNOWN || told == size;
    }

    ::ZSTD_DCtx* decoder_;
    std::array<char, 4> magic_{};  // what has come of it behind a frame
    std::size_t magic_size_ = 0;
    std::array<char, 18> head_{};  // the frame's, which is no longer
    std::size_t head_size_ = 0;
    std::uint64_t frame_bytes_ = 0;  // that have come out of the frame
    place place_ = place::in_frame;
    bool begun_ = false;
};

}  // namespace

std::unique_ptr<content_coding> make_zstd_coding() {
    return std::make_unique<zstd_coding>();
}

#else

std::unique_ptr<content_coding> make_zstd_coding() {
    return nullptr;
}

#endif

}  // namespace leat::http::detail
