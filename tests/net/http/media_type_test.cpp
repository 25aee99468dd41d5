// SPDX-License-Identifier: MIT
#include <leat/http/media_type.hpp>

#include <doctest/doctest.h>

using leat::http::media_type_of;

TEST_CASE("the extension of a name tells its media type") {
    CHECK(media_type_of("index.html") == "text/html; charset=utf-8");
    CHECK(media_type_of("a/b.min.js") == "text/javascript; charset=utf-8");
    CHECK(media_type_of("LOGO.PNG") == "image/png");
    CHECK(media_type_of("app.webmanifest") == "application/manifest+json");
    CHECK(media_type_of("x.7z") == "application/x-7z-compressed");
    CHECK(media_type_of("x.zst") == "application/zstd");
}

TEST_CASE("what is not known is bytes") {
    for (const char* name :
         {"", "html", "x.", "x.unknown", "x.html ", "x.webmanifestx", "x.htmlx", ".", "x.ht"}) {
        CHECK_MESSAGE(media_type_of(name) == "application/octet-stream", name);
    }
}
