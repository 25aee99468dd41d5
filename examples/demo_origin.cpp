// SPDX-License-Identifier: MIT
// What scripts/demo fetches from: an HTTP and an HTTPS server with a certificate of its own making. A path
// of /N answers after up to half a second, with N times a line of 64 bytes.
#include "command_line.hpp"

#include <leat/http.hpp>
#include <leat/http/serve_tls.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/tls.hpp>

#include <charconv>
#include <chrono>
#include <fstream>

namespace {

leat::task<leat::http::response> answer(const leat::http::request& asked) {
    leat::http::response page;
    unsigned lines = 0;
    const std::string_view number = std::string_view(asked.target).substr(1);
    const auto [stopped, error] = std::from_chars(number.begin(), number.end(), lines);
    if (error != std::errc() || stopped != number.end() || lines > 100'000) {
        page.status = 404;
        co_return page;
    }
    co_await leat::sleep(std::chrono::milliseconds(lines * 7919 % 500));
    for (unsigned i = 0; i < lines; ++i) {
        page.body += "The open channel that carries the water to the mill is its leat.\n";
    }
    co_return page;
}

leat::task<> serve(std::string ca_file) {
    const leat::testing::certificate_authority authority("leat demo");
    const leat::testing::certificate issued = authority.issue({"127.0.0.1"});
    std::ofstream(ca_file) << authority.certificate_text();
    const auto context = leat::tls::context::server({.certificate = leat::tls::pem::text(issued.chain),
                                                     .key = leat::tls::pem::text(issued.key),
                                                     .alpn = "h2,http/1.1"});
    leat::signal_set signals(leat::not_ignored({SIGINT, SIGTERM}));
    auto plain = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto secure = leat::tcp_listener::bind({"127.0.0.1", 0});
    examples::announce({plain.local_endpoint().to_string(), secure.local_endpoint().to_string()});
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return leat::http::serve(std::move(plain), answer, {.stop_on = {}}); });
        group.spawn(
            [&] { return leat::http::serve(std::move(secure), context, answer, {.http = {.stop_on = {}}}); });
        co_await signals.next();
        group.cancel();
    });
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("demo_origin", "Serves what the demonstration fetches.");
    std::string ca_file;
    command.add_required("ca-file", ca_file, "where to write the authority that clients are to trust");
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return serve(ca_file); });
}
