// SPDX-License-Identifier: MIT
#include <leat/http/core/content_coding.hpp>

#include <leat/check.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>

namespace leat::http::detail {
namespace {

constexpr int zlib_window = 15;                // a zlib header in front, an Adler-32 behind
constexpr int gzip_window = zlib_window + 16;  // a gzip header in front, a CRC-32 behind
constexpr std::array<Bytef, 2> gzip_magic = {0x1f, 0x8b};
constexpr int raw_window = -zlib_window;  // neither

// "deflate" means the zlib format (RFC 9110 8.4.1.2), but some servers send raw deflate. The first byte tells
// them apart: a zlib header's is x8 with x below 8, while a raw stream would have to begin with a stored
// block that has a set padding bit, which no compressor writes.
bool is_zlib_header(char first) noexcept {
    const auto byte = static_cast<unsigned char>(first);
    return (byte & 0x0f) == 8 && (byte >> 4) < 8;
}

class zlib_coding final : public content_coding {
public:
    explicit zlib_coding(zlib_format format) : format_(format) {}
    ~zlib_coding() override {
        if (state_ != state::unopened) {
            ::inflateEnd(&stream_);
        }
    }

    result<std::size_t> decode(std::string_view& input, std::span<char> output) override;
    [[nodiscard]] bool complete() const noexcept override { return state_ != state::inside; }

private:
    // unopened -> inside at the first byte; inside -> behind at the end of the stream; behind -> between at
    // the first byte of the next gzip member, and -> inside at its second. Anything else -> over.
    enum class state : unsigned char { unopened, inside, behind, between, over };

    void open(char first);
    void go_on(std::string_view& input);
    void begin_member();

    z_stream stream_{};
    zlib_format format_;
    state state_ = state::unopened;
};

void zlib_coding::open(char first) {
    const int window = format_ == zlib_format::gzip ? gzip_window
                       : is_zlib_header(first)      ? zlib_window
                                                    : raw_window;
    if (::inflateInit2(&stream_, window) != Z_OK) {
        throw std::bad_alloc();
    }
    state_ = state::inside;
}

// Behind the end of a stream may stand another gzip member (RFC 1952 2.2). Anything else is no part of the
// content: zeros, as tapes leave them, or a line break that a script has written.
void zlib_coding::go_on(std::string_view& input) {
    while (!input.empty() && state_ != state::inside) {
        const auto next = static_cast<Bytef>(input.front());
        if (state_ == state::behind && format_ == zlib_format::gzip && next == gzip_magic[0]) {
            state_ = state::between;
            input.remove_prefix(1);
        } else if (state_ == state::between && next == gzip_magic[1]) {
            input.remove_prefix(1);
            begin_member();
        } else {
            state_ = state::over;
            input = {};
        }
    }
}

void zlib_coding::begin_member() {
    state_ = state::inside;
    std::array<Bytef, gzip_magic.size()> begun = gzip_magic;
    stream_.next_in = begun.data();
    stream_.avail_in = static_cast<uInt>(begun.size());
    stream_.avail_out = 0;
    const int status = ::inflateReset(&stream_) == Z_OK ? ::inflate(&stream_, Z_NO_FLUSH) : Z_STREAM_ERROR;
    check(status == Z_OK || status == Z_BUF_ERROR, "zlib takes the first bytes of a gzip member");
}

result<std::size_t> zlib_coding::decode(std::string_view& input, std::span<char> output) {
    check(!output.empty() && output.size() <= std::numeric_limits<uInt>::max(),
          "a decoder has room to write");
    if (state_ == state::unopened && !input.empty()) {
        open(input.front());
    }
    std::size_t written = 0;
    while (written == 0 && state_ != state::unopened) {
        if (state_ != state::inside) {
            go_on(input);
            if (state_ != state::inside) {
                break;
            }
        }
        const std::size_t offered = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // zlib only reads it
        stream_.avail_in = static_cast<uInt>(offered);
        stream_.next_out = reinterpret_cast<Bytef*>(output.data());
        stream_.avail_out = static_cast<uInt>(output.size());
        const int status = ::inflate(&stream_, Z_NO_FLUSH);
        input.remove_prefix(offered - stream_.avail_in);
        written = output.size() - stream_.avail_out;
        if (status == Z_STREAM_END) {
            state_ = state::behind;
        } else if (status == Z_MEM_ERROR) {
            throw std::bad_alloc();
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return make_error_code(error::corrupt_content);
        } else if (input.empty() || status == Z_BUF_ERROR) {
            break;
        }
    }
    return written;
}

}  // namespace

std::unique_ptr<content_coding> make_zlib_coding(zlib_format format) {
    return std::make_unique<zlib_coding>(format);
}

}  // namespace leat::http::detail
