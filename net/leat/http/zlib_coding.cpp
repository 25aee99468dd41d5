// SPDX-License-Identifier: MIT
#include <leat/http/content_coding.hpp>

#include <leat/check.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <limits>
#include <new>

#include <zlib.h>

namespace leat::http {
namespace {

constexpr int zlib_window = 15;                // a zlib header in front, an Adler-32 behind
constexpr int gzip_window = zlib_window + 16;  // a gzip header in front, a CRC-32 behind
constexpr char gzip_first_byte = '\x1f';
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
    // unopened -> inside at the first byte; inside -> behind at the end of the stream; behind -> inside at
    // the next gzip member, behind -> padding at a zero byte, which is final.
    enum class state : unsigned char { unopened, inside, behind, padding };

    void open(char first);
    bool go_on(std::string_view& input) noexcept;

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

// What may stand behind the end of a stream: another gzip member (RFC 1952 2.2), or zeros up to the end, as
// tapes leave them. Anything else is an error, since it may be the damaged rest of the content.
bool zlib_coding::go_on(std::string_view& input) noexcept {
    if (input.empty()) {
        return true;
    }
    if (format_ != zlib_format::gzip) {
        return false;
    }
    if (state_ == state::padding || input.front() == '\0') {
        state_ = state::padding;
        input.remove_prefix(std::min(input.find_first_not_of('\0'), input.size()));
        return input.empty();
    }
    state_ = state::inside;
    return input.front() == gzip_first_byte && ::inflateReset(&stream_) == Z_OK;
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
            if (!go_on(input)) {
                return make_error_code(error::corrupt_content);
            }
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

}  // namespace leat::http
