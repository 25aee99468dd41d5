// SPDX-License-Identifier: MIT
#include <leat/http/core/content_encoder.hpp>

#if LEAT_HAS_BROTLI
#include <leat/check.hpp>

#include <algorithm>
#include <bit>
#include <new>

#include <brotli/encode.h>
#endif

namespace leat::http::detail {

#if LEAT_HAS_BROTLI
namespace {

class brotli_encoder final : public content_encoder {
public:
    explicit brotli_encoder(std::uint64_t size)
        : encoder_(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
        if (encoder_ == nullptr) {
            throw std::bad_alloc();
        }
        const auto bits = static_cast<int>(std::bit_width(std::max<std::uint64_t>(size, 1) - 1));
        const int window = std::clamp(bits, BROTLI_MIN_WINDOW_BITS, window_bits_max);
        ::BrotliEncoderSetParameter(encoder_, BROTLI_PARAM_QUALITY, quality);
        ::BrotliEncoderSetParameter(encoder_, BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(window));
        if (size != unknown_size) {
            ::BrotliEncoderSetParameter(encoder_, BROTLI_PARAM_SIZE_HINT,
                                        static_cast<std::uint32_t>(std::min(size, size_hint_max)));
        }
    }
    ~brotli_encoder() override { ::BrotliEncoderDestroyInstance(encoder_); }

    void encode(std::string_view piece, flushing how, std::string& out) override {
        const auto operation = how == flushing::none    ? BROTLI_OPERATION_PROCESS
                               : how == flushing::piece ? BROTLI_OPERATION_FLUSH
                                                        : BROTLI_OPERATION_FINISH;
        std::size_t left = piece.size();
        const auto* next = reinterpret_cast<const std::uint8_t*>(piece.data());
        do {
            std::size_t no_room = 0;  // it has a buffer of its own
            if (::BrotliEncoderCompressStream(encoder_, operation, &left, &next, &no_room, nullptr,
                                              nullptr) == BROTLI_FALSE) {
                throw std::bad_alloc();
            }
            std::size_t size = 0;
            const std::uint8_t* made = ::BrotliEncoderTakeOutput(encoder_, &size);
            out.append(reinterpret_cast<const char*>(made), size);
        } while (left > 0 || ::BrotliEncoderHasMoreOutput(encoder_) != BROTLI_FALSE);
        check(how != flushing::end || ::BrotliEncoderIsFinished(encoder_) != BROTLI_FALSE,
              "brotli ends when it is told to");
    }

private:
    static constexpr std::uint32_t quality = 3;
    static constexpr int window_bits_max = 16;
    static constexpr std::uint64_t size_hint_max = 1 << 20;

    ::BrotliEncoderState* encoder_;
};

}  // namespace

std::unique_ptr<content_encoder> make_brotli_encoder(std::uint64_t size) {
    return std::make_unique<brotli_encoder>(size);
}

#else

std::unique_ptr<content_encoder> make_brotli_encoder(std::uint64_t /*size*/) {
    return nullptr;
}

#endif

}  // namespace leat::http::detail
