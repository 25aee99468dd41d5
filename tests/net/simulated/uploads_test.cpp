// SPDX-License-Identifier: MIT
// Uploads over a network and to a disk that fail and heal: what is told to have come has come whole, no file
// stays but those that were kept, and once all has healed each upload comes.
#include <leat/http.hpp>
#include <leat/system/folder.hpp>

#include "whole_program.hpp"

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

std::string form_of(const std::string& text) {
    return "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n" + text +
           "\r\n--b--\r\n";
}

task<http::response> store(const http::request& asked, http::request_body_reader& body) {
    const auto use = [&](http::uploaded_form& form) -> task<http::response> {
        const std::string bytes = co_await read_file(form.files.at(0).path, 1'000'000);
        co_return http::text_answer(bytes);
    };
    co_return co_await http::with_uploads(body, *http::multipart_boundary(asked), "/tmp", use);
}

// True: it came, and whole.
task<bool> upload_some(http::client& client) {
    const std::string text = numbered_text(draw(100), draw(200'000));
    const http::headers type{{"Content-Type", "multipart/form-data; boundary=b"}};
    const auto sent = co_await as_result(client.post("http://10.0.0.1/", form_of(text), {}, type));
    const bool came = sent.ok() && sent->status == 200;
    CHECK((!came || sent->body == text));
    co_return came;
}

task<int> upload_often(http::client& client, int count) {
    int failed = 0;
    for (; count > 0; --count) {
        const bool came = co_await upload_some(client);
        failed += came ? 0 : 1;
        co_await sleep(draw_time(20ms));
    }
    co_return failed;
}

void drop_failure(std::exception_ptr /*error*/, std::optional<endpoint> /*peer*/) {}

}  // namespace

LEAT_SIMULATE("uploads come whole or leave nothing, and none fails after the faults",
              {.seeds = 30, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    tcp_listener listener = co_await on_host(there, bind_in_the_end({"10.0.0.1", 80}));
    co_await with_task_group([&](task_group& group) -> task<> {
        const auto serve = [&]() -> task<> {
            const http::serve_options options{.stop_on = {}, .on_error = drop_failure};
            co_await http::serve(std::move(listener), store, options);
        };
        group.spawn([&] { return on_host(there, serve()); });
        co_await on_host(here, [&]() -> task<> {
            http::client client({.environment_proxies = false});
            (void)co_await gather(upload_often(client, 4), upload_often(client, 4));
            world.heal();
            const auto [one, other] = co_await gather(upload_often(client, 4), upload_often(client, 4));
            CHECK(one + other == 0);
        });
        group.cancel();
    });
}

}  // namespace leat::testing
