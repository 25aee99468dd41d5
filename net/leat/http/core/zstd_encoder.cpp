// SPDX-License-Identifier: MIT
#include <leat/http/core/content_encoder.hpp>

#if LEAT_HAS_ZSTD
#include <leat/check.hpp>

#include <algorithm>
#include <bit>
#include <new>

#include <zstd.h>
#endif

namespace leat::http::detail {

#if LEAT_HAS_ZSTD
namespace {

class zstd_encoder final : public content_encoder {
public:
    explicit zstd_encoder(std::uint64_t size) : encoder_(::ZSTD_createCCtx()) {
        const auto bits = static_cast<int>(std::bit_width(std::max<std::uint64_t>(size, 1) - 1));
        const bool made = encoder_ != nullptr && set(ZSTD_c_compressionLevel, level) &&
                          set(ZSTD_c_windowLog, std::clamp(bits, window_bits_min, window_bits_max)) &&
                          set(ZSTD_c_hashLog, std::clamp(bits, table_bits_min, table_bits_max)) &&
                          set(ZSTD_c_chainLog, std::clamp(bits, table_bits_min, table_bits_max));
        if (!made) {
            ::ZSTD_freeCCtx(encoder_);
            throw std::bad_alloc();
        }
    }
    ~zstd_encoder() override { ::ZSTD_freeCCtx(encoder_); }

    void encode(std::string_view piece, flushing how, std::string& out) override {
        const auto operation = how == flushing::none    ? ZSTD_e_continue
                               : how == flushing::piece ? ZSTD_e_flush
                                                        : ZSTD_e_end;
        ::ZSTD_inBuffer from{piece.data(), piece.size(), 0};
        for (std::size_t left = 1; left > 0;) {
            const std::size_t before = out.size();
            out.resize(before + std::max(room_min, piece.size() / 2));
            ::ZSTD_outBuffer to{out.data() + before, out.size() - before, 0};
            left = ::ZSTD_compressStream2(encoder_, &to, &from, operation);
            if (::ZSTD_isError(left) != 0) {
                throw std::bad_alloc();
            }
            out.resize(before + to.pos);
            if (how == flushing::none) {
                left = from.size - from.pos;  // else it tells what it keeps back
            }
        }
    }

private:
    static constexpr int level = 3;
    static constexpr int window_bits_min = 10;  // zstd's
    static constexpr int window_bits_max = 16;
    static constexpr int table_bits_min = 6;  // zstd's
    static constexpr int table_bits_max = 14;
    static constexpr std::size_t room_min = 512;

    bool set(::ZSTD_cParameter what, int value) noexcept {
        return ::ZSTD_isError(::ZSTD_CCtx_setParameter(encoder_, what, value)) == 0;
    }

    ::ZSTD_CCtx* encoder_;
};

}  // namespace

std::unique_ptr<content_encoder> make_zstd_encoder(std::uint64_t size) {
    return std::make_unique<zstd_encoder>(size);
}

#else

std::unique_ptr<content_encoder> make_zstd_encoder(std::uint64_t /*size*/) {
    return nullptr;
}

#endif

}  // namespace leat::http::detail
