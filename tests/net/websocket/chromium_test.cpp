// SPDX-License-Identifier: MIT
// A browser: Debian's chromium, without a window, shows a page of static files whose script talks to a
// WebSocket, and tells the server what it has seen.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/sleep.hpp>
#include <leat/sync/one_shot.hpp>
#include <leat/system/process.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/timeout.hpp>
#include <leat/websocket.hpp>

#include "../../support/folder.hpp"
#include "../http/serving.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response_writer;
using leat::testing::kernel;

namespace {

constexpr std::string_view page = R"(<!doctype html>
<meta charset=utf-8><link rel=stylesheet href=style.css><img src=dot.svg><p id=text></p>
<script type=module src=main.js></script>
)";

constexpr std::string_view script = R"(
const told = [];
const tell = (what, holds) => told.push(holds ? what : 'no-' + what);
tell('style', getComputedStyle(document.getElementById('text')).color === 'rgb(1, 2, 3)');
const image = document.images[0];
await new Promise(then => image.complete ? then() : image.onload = then);
tell('image', image.naturalWidth === 7);
const part = await fetch('main.js', {headers: {Range: 'bytes=1-5'}});
tell('part', part.status === 206 && await part.text() === 'const');

const socket = new WebSocket(location.href.replace('http', 'ws') + 'echo');
socket.binaryType = 'arraybuffer';
const next = () => new Promise(then => {
    socket.onmessage = said => then(said.data);
    socket.onclose = end => then('closed ' + end.code);
});
await new Promise(then => socket.onopen = then);
tell('deflate', socket.extensions === 'permessage-deflate');
for (const text of ['hello', '\u00e4\u4e2d\u{1f600}'.repeat(1000), 'x'.repeat(300000)]) {
    const echo = next();
    socket.send(text);
    tell('text', await echo === text);
}
const bytes = crypto.getRandomValues(new Uint8Array(60000));
const echo = next();
socket.send(bytes);
const back = new Uint8Array(await echo);
tell('bytes', back.length === bytes.length && back.every((byte, at) => byte === bytes[at]));
const end = next();
socket.close(4001, 'enough');
tell('end', await end === 'closed 4001');
await fetch('told?' + told.join(','));
)";

leat::task<> echo(leat::websocket::socket& peer) {
    while (const auto said = co_await peer.receive()) {
        co_await peer.send(*said);
    }
}

// Nothing where it is not installed.
std::optional<leat::process> start_chromium(const std::string& url, const std::string& profile) {
    try {
        return leat::process::spawn(
            {"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0",
             "--user-data-dir=" + profile, url},
            {.input = leat::redirect::null,
             .output = leat::redirect::null,
             .errors = leat::redirect::null,
             .new_group = true});
    } catch (const std::system_error& failure) {
        REQUIRE(failure.code() == std::errc::no_such_file_or_directory);
        return std::nullopt;
    }
}

}  // namespace

LEAT_TEST("a page of static files in chromium, whose script talks to a WebSocket", on(kernel)) {
    const leat::testing::folder files;
    const leat::testing::folder profile;
    (void)files.file("index.html", page);
    (void)files.file("main.js", script);
    (void)files.file("style.css", "p { color: rgb(1, 2, 3) }");
    (void)files.file("dot.svg", R"(<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>)");
    const auto given = co_await leat::http::static_files::open(files.path(), {});
    leat::one_shot<std::string> told;
    const auto site = [&](const request& asked, response_writer& writer) -> leat::task<> {
        if (asked.target == "/echo") {
            writer.head() = leat::websocket::accept(
                asked, echo, {.socket = {.compression = leat::websocket::compression::shared}});
        } else if (asked.target.starts_with("/told?")) {
            told.set(asked.target.substr(6));
        } else {
            co_await given(asked, writer);
        }
    };
    co_await leat::testing::serving(
        site, leat::testing::unattended, [&](leat::endpoint where) -> leat::task<> {
            auto browser = start_chromium("http://" + where.to_string() + "/", profile.path());
            if (!browser) {
                MESSAGE("skipped: chromium is not installed");
                co_return;
            }
            const std::string all = co_await leat::timeout(60s, told);
            CHECK(all == "style,image,part,deflate,text,text,text,bytes,end");
            (void)co_await browser->stop(10s);
            std::error_code in_use;  // its helpers have been killed, and may still be ending
            while (std::filesystem::remove_all(profile.path(), in_use), in_use) {
                co_await leat::sleep(10ms);
            }
        });
}
