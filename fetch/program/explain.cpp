// SPDX-License-Identifier: MIT
#include <fetch/program/explain.hpp>

#include <fetch/engine/failure.hpp>
#include <fetch/program/failure_notes.hpp>
#include <fetch/views/text.hpp>

#include <leat/http/conditional.hpp>
#include <leat/http/response_stream.hpp>
#include <leat/sleep.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

namespace fetch {
namespace {

void print_line(std::string_view step, const std::string& text) {
    std::printf("  %-11s%s\n", std::string(step).c_str(), printable(text).c_str());
}

// "12.3 ms"
std::string milliseconds(leat::duration length) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.1f ms",
                        std::chrono::duration<double, std::milli>(length).count());
    return text;
}

std::string_view name_of(leat::http::version version) {
    switch (version) {
        case leat::http::version::http_1_0:
            return "HTTP/1.0";
        case leat::http::version::http_1_1:
            return "HTTP/1.1";
        case leat::http::version::http_2:
            return "HTTP/2";
    }
    return "HTTP";
}

// The steps up to the head, each from the end of the one before.
void print_steps(const leat::http::response_stream& reply) {
    const leat::http::request_timings& told = reply.timings();
    leat::time_point last = told.begun;
    const auto step = [&](std::string_view name, const std::optional<leat::time_point>& end,
                          const std::string& what) {
        if (end) {
            print_line(name, what + milliseconds(*end - last));
            last = *end;
        }
    };
    const std::string peer = reply.peer() ? reply.peer()->to_string() : "a socket of this machine";
    step("name", told.resolved, "looked up in ");
    step("connected", told.connected, "to " + peer + " in ");
    step("tunnelled", told.tunnelled, "by the proxy in ");
    if (const leat::http::tls_info* const tls = reply.tls()) {
        step("secured", told.secured,
             tls->version + ", " + tls->cipher + (tls->resumed ? ", resumed" : "") +
                 (tls->alpn.empty() ? "" : ", " + tls->alpn) + " in ");
        print_line("", "certificate of " + tls->subject + ", for " + tls->names);
        print_line("", "issued by " + tls->issuer +
                           (tls->expires ? ", until " + leat::http::http_date(*tls->expires) : ""));
    }
    step("sent", told.sent, "the request in ");
    step("answered", told.headed, "after ");
}

void print_head(const leat::http::response_stream& reply, const std::string& asked) {
    if (reply.url().to_string() != asked) {
        print_line("from", reply.url().to_string() + " (after redirects)");
    }
    print_line("status", std::string(name_of(reply.head().version)) + " " + std::to_string(reply.status()) +
                             " " + reply.head().reason);
    for (const auto& field : reply.headers()) {
        print_line("", std::string(field.name) + ": " + std::string(field.value));
    }
}

leat::task<> explain(leat::http::client& client, const settings& how, std::string url) {
    std::printf("%s\n", leat::http::printable_url(url).c_str());
    leat::http::request_options options = request_options_of(how);
    options.tell_tls = true;
    leat::http::response_stream reply = co_await client.open(url, options, how.fields);
    print_steps(reply);
    print_head(reply, url);
    const leat::time_point begin = leat::now();
    while (!(co_await reply.read()).empty()) {
    }
    print_line("body", std::to_string(reply.bytes_read()) + " bytes in " + milliseconds(leat::now() - begin));
}

}  // namespace

leat::task<int> explain_each(leat::http::client& client, const settings& how, std::vector<std::string> urls) {
    int status = 0;
    for (const std::string& url : urls) {
        try {
            co_await explain(client, how, url);
        } catch (const std::exception& why) {
            const failure failed = failure_of(why);
            print_line("failed", failed.text);
            status = exit_status_of(failed.kind);
        }
        std::fflush(stdout);
    }
    co_return status;
}

}  // namespace fetch
