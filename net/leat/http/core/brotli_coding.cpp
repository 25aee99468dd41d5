// SPDX-License-Identifier: MIT
#include <leat/http/core/content_coding.hpp>

#include <leat/http/error.hpp>

#include <new>

#if LEAT_HAS_BROTLI
#include <brotli/decode.h>
#endif

namespace leat::http::detail {

#if LEAT_HAS_BROTLI
namespace {

class brotli_coding final : public content_coding {
public:
    brotli_coding() : decoder_(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
        if (decoder_ == nullptr) {
            throw std::bad_alloc();
        }
    }
    ~brotli_coding() override { ::BrotliDecoderDestroyInstance(decoder_); }

    result<std::size_t> decode(std::string_view& input, std::span<char> output) override {
        if (ended_) {
            input = {};
            return std::size_t(0);
        }
        begun_ = begun_ || !input.empty();
        std::size_t left = input.size();
        const auto* next = reinterpret_cast<const std::uint8_t*>(input.data());
        std::size_t room = output.size();
        auto* target = reinterpret_cast<std::uint8_t*>(output.data());
        const auto outcome = ::BrotliDecoderDecompressStream(decoder_, &left, &next, &room, &target, nullptr);
        input.remove_prefix(input.size() - left);
        switch (outcome) {
            case BROTLI_DECODER_RESULT_ERROR:
                return make_error_code(error::corrupt_content);
            case BROTLI_DECODER_RESULT_SUCCESS:
                ended_ = true;
                if (room == output.size()) {
                    input = {};
                }
                break;
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
                break;
        }
        return output.size() - room;
    }

    [[nodiscard]] bool complete() const noexcept override { return ended_ || !begun_; }

private:
    BrotliDecoderState* decoder_;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<content_coding> make_brotli_coding() {
    return std::make_unique<brotli_coding>();
}

#else

std::unique_ptr<content_coding> make_brotli_coding() {
    return nullptr;
}

#endif

}  // namespace leat::http::detail
