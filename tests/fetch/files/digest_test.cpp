// SPDX-License-Identifier: MIT
#include <fetch/files/digest.hpp>

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

namespace {

std::string made(fetch::digest_kind kind, std::string_view text) {
    fetch::digester maker(kind);
    for (const char& each : text) {
        maker.add(std::as_bytes(std::span(&each, 1)));
    }
    return fetch::hexadecimal(maker.end());
}

}  // namespace

TEST_CASE("digests are those of FIPS 180-4 and RFC 1321") {
    using fetch::digest_kind;
    CHECK(made(digest_kind::md5, "abc") == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(made(digest_kind::sha_1, "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(made(digest_kind::sha_256, "abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(made(digest_kind::sha_256, "") ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digester begins again at its end") {
    fetch::digester maker(fetch::digest_kind::sha_256);
    const fetch::digest none = maker.end();
    maker.add(std::as_bytes(std::span("abc", 3)));
    CHECK(maker.end() != none);
    CHECK(maker.end() == none);
}

TEST_CASE("a checksum of a list is read by any of its names, and only whole") {
    const std::string hex = "900150983cd24fb0d6963f7d28e17f72";
    for (const char* const name : {"md5", "MD5"}) {
        const auto read = fetch::read_digest(name + ("=" + hex));
        REQUIRE(read.has_value());
        CHECK(read->kind == fetch::digest_kind::md5);
        CHECK(fetch::hexadecimal(*read) == hex);
    }
    CHECK(fetch::digest_kind_of("sha256") == fetch::digest_kind::sha_256);
    CHECK(fetch::digest_kind_of("SHA-512") == fetch::digest_kind::sha_512);
    CHECK(fetch::read_digest("md5=900150983CD24FB0D6963F7D28E17F72").has_value());
    const std::string wrongs[] = {
        "md5=" + hex + "00", "md5=" + hex.substr(1), "sha-256=" + hex,        "md5", "md5=",
        "=" + hex,           "crc32=" + hex,         "md5=g" + hex.substr(1), ""};
    for (const std::string& wrong : wrongs) {
        CAPTURE(wrong);
        CHECK_FALSE(fetch::read_digest(wrong).has_value());
    }
}
