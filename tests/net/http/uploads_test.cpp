// SPDX-License-Identifier: MIT
#include <leat/http/uploads.hpp>

#include <leat/testing/doctest.hpp>

#if LEAT_HAS_HTTP2
#include "h2_client.hpp"
#endif
#include "static_site.hpp"

#include <functional>
#include <string>

using leat::task;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::uploaded_form;
using leat::testing::any_folder;
using leat::testing::bytes_of;
using leat::testing::serving;
using leat::testing::status_in;
using leat::testing::unattended;

namespace {

std::string part(std::string_view disposition, std::string_view data) {
    return "--b\r\nContent-Disposition: form-data; " + std::string(disposition) + "\r\n\r\n" +
           std::string(data) + "\r\n";
}

const std::string large = bytes_of(300'000);
const std::string good = part("name=\"title\"", "hello") +
                         part("name=\"photo\"; filename=\"../../etc/passwd\"", large) +
                         part("name=\"note\"; filename=\"empty.txt\"", "") +
                         part("name=\"none\"; filename=\"\"", "") + "--b--\r\nbehind";

std::string posted(const std::string& body, std::size_t told = 0) {
    return "POST / HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: " +
           std::to_string(told == 0 ? body.size() : told) + "\r\n\r\n" + body;
}

using use_function = std::function<task<response>(uploaded_form&)>;

// A server that takes forms into a folder, for as long as `body` runs.
task<> taking(use_function use, std::function<task<>(leat::endpoint, const any_folder&)> body,
              leat::http::multipart_limits limits = {}) {
    any_folder files;
    if (!co_await leat::path_exists(files.path())) {
        co_await files.make();
    }
    co_await leat::make_folder(files.path("incoming"));
    const auto handler = [&](const request& asked, request_body_reader& given) -> task<response> {
        given.set_limit(1'000'000);
        co_return co_await leat::http::with_uploads(given, *leat::http::multipart_boundary(asked),
                                                    files.path("incoming"), use, limits);
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) { return body(where, files); });
    const auto left = co_await leat::list_folder(files.path("incoming"));
    CHECK(left.empty());
    co_await leat::remove_folder(files.path("incoming"));
}

task<response> count_all(uploaded_form& form) {
    std::string text;
    for (const auto& each : form.fields) {
        text += each.name + "=" + each.data + ";";
    }
    for (const auto& each : form.files) {
        const auto about = co_await leat::file_info_of(each.path);
        CHECK(about.size == each.size);
        CHECK(each.path.find(*each.file_name) == each.path.npos);
        text += each.name + "(" + *each.file_name + ")=" + std::to_string(each.size) + ";";
    }
    co_return leat::http::text_answer(text);
}

// Nothing of a request is used, and it is answered by `status`.
task<> check_refused(std::string sent, int status, leat::http::multipart_limits limits = {}) {
    bool used = false;
    const auto use = [&](uploaded_form&) -> task<response> {
        used = true;
        co_return response();
    };
    co_await taking(
        use,
        [&](leat::endpoint where, const any_folder&) -> task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(sent);
            peer.shutdown_send();
            const std::string answer = co_await leat::testing::rest_of(peer);
            CHECK(status_in(answer) == status);
        },
        limits);
    CHECK(!used);
}

}  // namespace

LEAT_TEST("files of a form are stored while it is read, and removed when they were used") {
    co_await taking(count_all, [](leat::endpoint where, const any_folder&) -> task<> {
        const std::string answer = co_await leat::testing::answers_to(where, posted(good));
        CHECK(answer.ends_with("\r\n\r\ntitle=hello;photo(passwd)=300000;note(empty.txt)=0;"));
    });
}

LEAT_TEST("a file that is given another name stays") {
    std::string kept;
    const auto keep = [&](uploaded_form& form) -> task<response> {
        CHECK(form.get("title") == "hello");
        CHECK(!form.get("none"));
        kept = form.files.at(0).path + "-kept";
        co_await leat::rename_to_new(form.files.at(0).path, kept);
        const std::string bytes = co_await leat::read_file(kept, 1'000'000);
        CHECK(bytes == large);
        co_await leat::rename_file(kept, kept.substr(0, kept.rfind("/incoming")) + "/kept");
        co_return response();
    };
    co_await taking(keep, [](leat::endpoint where, const any_folder& files) -> task<> {
        const std::string answer = co_await leat::testing::answers_to(where, posted(good));
        CHECK(status_in(answer) == 200);
        const std::string bytes = co_await leat::read_file(files.path("kept"), 1'000'000);
        CHECK(bytes == large);
    });
}

LEAT_TEST("a body that is no good leaves nothing, and its client hears why") {
    co_await check_refused(posted(good.substr(0, 200'000)), 400);
    co_await check_refused(posted(good.substr(0, 200'000), good.size()), 400);  // its client has ended early
    std::string bad = good;
    bad.replace(bad.find("Content-Disposition", 300'000), 7, "Contant");
    co_await check_refused(posted(bad), 400);
    co_await check_refused(posted(good), 413, {.file_bytes = 299'999});
    co_await check_refused(posted(good), 413, {.parts = 3});
    co_await check_refused(posted(part("name=a; filename=a", std::string(1'000'000, 'a')) + "--b--"), 413);
}

LEAT_TEST("what fails with the files leaves none of them", on(leat::testing::simulated)) {
    leat::testing::said.clear();
    const auto fail = [](uploaded_form&) -> task<response> {
        throw std::runtime_error("no use");
        co_return response();
    };
    co_await taking(fail, [](leat::endpoint where, const any_folder&) -> task<> {
        const std::string answer = co_await leat::testing::answers_to(where, posted(good));
        CHECK(status_in(answer) == 500);
    });
}

LEAT_TEST("a request that is cancelled in any turn leaves no file") {
    any_folder files;
    co_await files.make();
    for (int turns = 0; turns < 60; ++turns) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        const auto handler = [&](const request& asked, request_body_reader& given) -> task<response> {
            co_return co_await leat::http::with_uploads(given, *leat::http::multipart_boundary(asked),
                                                        files.path(), count_all);
        };
        auto server = leat::spawn(leat::http::serve(std::move(listener), handler, unattended));
        auto asking = leat::spawn(leat::testing::answers_to(where, posted(good)));
        for (int turn = 0; turn < turns; ++turn) {
            co_await leat::yield();
        }
        server.cancel();
        co_await server.join();
        asking.cancel();
        co_await asking.join();
        const auto left = co_await leat::list_folder(files.path());
        CHECK(left.empty());
    }
}

#if LEAT_HAS_HTTP2
LEAT_TEST("forms of HTTP/2 are taken, too, and refused as they are") {
    co_await taking(count_all, [](leat::endpoint where, const any_folder&) -> task<> {
        auto stream = co_await leat::tcp_stream::connect(where);
        leat::testing::h2_peer peer{leat::any_stream(std::move(stream))};
        const leat::http::headers type{{"content-type", "multipart/form-data; boundary=b"}};
        const auto taken = peer.ask("/", "POST", good, type);
        const auto bad = peer.ask("/", "POST", good.substr(0, 200'000), type);
        const bool all = co_await peer.finish({taken, bad});
        CHECK(all);
        CHECK(peer.of(taken).body == "title=hello;photo(passwd)=300000;note(empty.txt)=0;");
        CHECK(peer.of(bad).status == 400);
    });
}
#endif
