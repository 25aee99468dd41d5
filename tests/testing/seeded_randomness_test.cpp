// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/seeded_randomness.hpp>
#include <leat/testing/simulation.hpp>

#include <array>
#include <thread>

#include <doctest/doctest.h>
#include <openssl/rand.h>

using leat::testing::seeded_randomness;

namespace {

using drawn = std::array<unsigned char, 21>;

drawn draw() {
    drawn bytes{};
    REQUIRE(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    return bytes;
}

drawn draw_from(std::uint64_t seed) {
    const seeded_randomness ours(seed);
    return draw();
}

}  // namespace

TEST_CASE("what OpenSSL draws comes from the seed while there is one") {
    CHECK(draw_from(7) == draw_from(7));
    CHECK(draw_from(7) != draw_from(8));
    CHECK(draw() != draw());
    CHECK(draw() != draw_from(7));
}

TEST_CASE("two draws from one seed differ, and a seed within a seed takes nothing from it") {
    const seeded_randomness outer(7);
    const drawn first = draw();
    CHECK(first == draw_from(7));
    const drawn second = draw();
    CHECK(second != first);

    const seeded_randomness again(7);
    CHECK(draw() == first);
    CHECK(draw() == second);
}

TEST_CASE("a seed is of its own thread") {
    const seeded_randomness ours(7);
    drawn elsewhere{};
    std::thread([&] { elsewhere = draw(); }).join();
    CHECK(draw() == draw_from(7));
    CHECK(elsewhere != draw_from(7));
}

TEST_CASE("a simulation has a seed for OpenSSL, and draws on in its next run") {
    const auto drawn_in_two_runs = [](std::uint64_t seed) {
        leat::simulation world({.seed = seed});
        std::array<drawn, 2> found;
        for (drawn& each : found) {
            leat::testing::run_simulated(world, [&]() -> leat::task<> {
                co_await leat::sleep(std::chrono::seconds(1));
                each = draw();
            });
        }
        return found;
    };
    const auto first = drawn_in_two_runs(7);
    CHECK(first == drawn_in_two_runs(7));
    CHECK(first != drawn_in_two_runs(8));
    CHECK(first[0] != first[1]);
}

TEST_CASE("keys and certificates are the same from one seed") {
    const auto made_from = [](std::uint64_t seed) {
        const seeded_randomness ours(seed);
        return leat::testing::self_signed({"localhost"}, {.key = leat::testing::key_kind::ed25519}).key;
    };
    CHECK(made_from(7) == made_from(7));
    CHECK(made_from(7) != made_from(8));
}
