// SPDX-License-Identifier: MIT
#include <leat/tls/core/wire.hpp>

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace leat::tls::detail {
namespace {

wire& ends_of(BIO* bio) {
    return *static_cast<wire*>(BIO_get_data(bio));
}

int read_wire(BIO* bio, char* into, std::size_t size, std::size_t* count) {
    wire& ends = ends_of(bio);
    BIO_clear_retry_flags(bio);
    if (ends.input.empty() || (ends.reading && ends.replies_are_full())) {
        BIO_set_retry_read(bio);
        return -1;
    }
    *count = std::min(size, ends.input.size());
    std::memcpy(into, ends.input.data(), *count);
    ends.input = ends.input.subspan(*count);
    return 1;
}

// Takes everything at once: a record that OpenSSL had to keep for later would tie the next call to this one.
int write_wire(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
    wire& ends = ends_of(bio);
    BIO_clear_retry_flags(bio);
    try {
        ends.output.append({reinterpret_cast<const std::byte*>(from), size});
    } catch (const std::bad_alloc&) {
        ends.out_of_memory = true;  // OpenSSL's frames cannot be unwound
        return -1;
    }
    if (ends.reading) {
        ends.replies += size;
        ends.replies_end = ends.consumed + ends.output.size();
    }
    *count = size;
    return 1;
}

long control_wire(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "leat wire");
    if (method != nullptr) {
        BIO_meth_set_read_ex(method, read_wire);
        BIO_meth_set_write_ex(method, write_wire);
        BIO_meth_set_ctrl(method, control_wire);
    }
    return method;
}

}  // namespace

void wire::consume_output(std::size_t count) noexcept {
    output.consume(count);
    consumed += count;
    if (consumed >= replies_end) {
        replies = 0;
    }
}

bio_st* make_wire_bio(wire& ends) noexcept {
    static BIO_METHOD* const method = make_method();
    BIO* const bio = method == nullptr ? nullptr : BIO_new(method);
    if (bio != nullptr) {
        BIO_set_data(bio, &ends);
        BIO_set_init(bio, 1);
    }
    return bio;
}

}  // namespace leat::tls::detail
