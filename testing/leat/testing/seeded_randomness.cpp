// SPDX-License-Identifier: MIT
// OpenSSL has one source of randomness for the whole process, which cannot be taken back safely while other
// threads draw from it. So ours is put in front of it once and for all, and passes on what is asked on
// threads without a seed.
#include <leat/testing/seeded_randomness.hpp>

#include <leat/backends/simulated/chance.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/rand.h>

// OpenSSL 3 has no other way to replace it for the default context.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace leat::testing {

namespace {

thread_local chance* drawn_here = nullptr;

int draw(unsigned char* into, int size, int (*otherwise)(unsigned char*, int)) {
    if (drawn_here == nullptr) {
        return otherwise(into, size);
    }
    for (int done = 0; done < size; done += static_cast<int>(sizeof(std::uint64_t))) {
        const std::uint64_t bits = drawn_here->draw();
        std::memcpy(into + done, &bits, static_cast<std::size_t>(std::min<int>(size - done, sizeof(bits))));
    }
    return 1;
}

int draw_bytes(unsigned char* into, int size) {
    return draw(into, size, RAND_OpenSSL()->bytes);
}

int draw_pseudo(unsigned char* into, int size) {
    return draw(into, size, RAND_OpenSSL()->pseudorand);
}

int seed_system(const void* from, int size) {
    return RAND_OpenSSL()->seed(from, size);
}

int add_system(const void* from, int size, double entropy) {
    return RAND_OpenSSL()->add(from, size, entropy);
}

int status() {
    return 1;
}

constexpr RAND_METHOD in_front{seed_system, draw_bytes, nullptr, add_system, draw_pseudo, status};

}  // namespace

seeded_randomness::seeded_randomness(std::uint64_t seed)
    : drawn_(std::make_unique<chance>(scramble(seed))), before_(std::exchange(drawn_here, drawn_.get())) {
    [[maybe_unused]] static const int put_in_front = RAND_set_rand_method(&in_front);
}

seeded_randomness::~seeded_randomness() {
    drawn_here = before_;
}

}  // namespace leat::testing

#pragma GCC diagnostic pop
