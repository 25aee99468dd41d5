// SPDX-License-Identifier: MIT
#include <leat/http/core/content_encoder.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <new>

#include <zlib.h>

namespace leat::http::detail {
namespace {

class gzip_encoder final : public content_encoder {
public:
    explicit gzip_encoder(std::uint64_t size) {
        // A window no larger than the body takes less memory, and less time to be cleared.
        const int bits = std::clamp(static_cast<int>(std::bit_width(std::max<std::uint64_t>(size, 1) - 1)),
                                    window_bits_min, window_bits_max);
        const int memory = std::clamp(bits - 7, 1, 8);
        if (::deflateInit2(&stream_, level, Z_DEFLATED, bits + gzip_format, memory, Z_DEFAULT_STRATEGY) !=
            Z_OK) {
            throw std::bad_alloc();
        }
    }
    ~gzip_encoder() override { ::deflateEnd(&stream_); }

    void encode(std::string_view piece, flushing how, std::string& out) override {
        check(piece.size() <= std::numeric_limits<uInt>::max(), "what is compressed at once is below 4 GiB");
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // zlib only reads it
        stream_.avail_in = static_cast<uInt>(piece.size());
        const int flush = how == flushing::none    ? Z_NO_FLUSH
                          : how == flushing::piece ? Z_SYNC_FLUSH
                                                   : Z_FINISH;
        do {
            const std::size_t before = out.size();
            out.resize(before + std::max(room_min, piece.size() / 2));
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            stream_.avail_out = static_cast<uInt>(out.size() - before);
            const int outcome = ::deflate(&stream_, flush);
            check(outcome == Z_OK || outcome == Z_STREAM_END || outcome == Z_BUF_ERROR,
                  "zlib compresses whatever it is given");
            out.erase(out.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
    }

private:
    static constexpr int gzip_format = 16;  // is added to the bits of the window
    static constexpr int window_bits_max = 15;
    static constexpr int window_bits_min = 9;  // zlib's
    static constexpr int level = 5;
    static constexpr std::size_t room_min = 512;

    z_stream stream_{};
};

}  // namespace

std::unique_ptr<content_encoder> make_gzip_encoder(std::uint64_t size) {
    return std::make_unique<gzip_encoder>(size);
}

}  // namespace leat::http::detail
