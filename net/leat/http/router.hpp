// SPDX-License-Identifier: MIT
// router: a handler of the HTTP server that chooses among others by method and path.
//
//   leat::http::router routes;
//   routes.get("/users/{id}", show_user);        // task<response>(const request&, const path_parameters&)
//   routes.post("/users", make_user);            // task<response>(const request&)
//   routes.get("/files/{path...}", give_file);   // task<>(const request&, const path_parameters&,
//                                                //        response_writer&)
//   co_await leat::http::serve(leat::tcp_listener::bind({"0.0.0.0", 8080}), routes);
//
// A handler takes the request, then the parameters of the path if it wants them, then the writer if it writes
// its answer itself. "{id}" is one segment, never an empty one; "{path...}", at the end, all that is left,
// also nothing. Of several patterns that fit, the one counts that is fixed where the other is not, from the
// left.
//
// It answers by itself: HEAD as GET; OPTIONS with the methods of the path; a path that no pattern fits with
// 404; another method with 405 and Allow; a path that is not encoded rightly with 400. Other answers, and
// what is done before or after each handler, are a function around it: see docs/http.md.
#pragma once

#include <leat/http/message.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/task.hpp>

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::http {

// What a path has where its pattern has "{name}".
class path_parameters {
public:
    // Decoded; but a rest ("{path...}") is as it was sent, because a slash and "%2F" are not the same. A name
    // that the pattern lacks is misuse.
    [[nodiscard]] const std::string& operator[](std::string_view name) const;

    void add(std::string_view name, std::string value) { all_.emplace_back(name, std::move(value)); }

private:
    std::vector<std::pair<std::string_view, std::string>> all_;
};

namespace detail {

using route_function = std::function<task<>(const request&, const path_parameters&, response_writer&)>;

// The answer that a handler gives, as one that writes it.
task<> write_given(task<response> giving, response_writer& writer);

template <typename Handler>
concept routed_handler =
    std::copy_constructible<Handler> &&
    (requires(Handler& h, const request& asked) {
        { h(asked) } -> std::same_as<task<response>>;
    } || requires(Handler& h, const request& asked, const path_parameters& found) {
        { h(asked, found) } -> std::same_as<task<response>>;
    } || requires(Handler& h, const request& asked, response_writer& writer) {
        { h(asked, writer) } -> std::same_as<task<>>;
    } || requires(Handler& h, const request& asked, const path_parameters& found, response_writer& writer) {
        { h(asked, found, writer) } -> std::same_as<task<>>;
    });

// A function, not a coroutine: what it refers to lives in the router.
template <typename Handler>
route_function route_to(Handler handler) {
    return [handler = std::move(handler)](const request& asked, const path_parameters& found,
                                          response_writer& writer) mutable -> task<> {
        if constexpr (requires { handler(asked, found, writer); }) {
            return handler(asked, found, writer);
        } else if constexpr (requires { handler(asked, writer); }) {
            return handler(asked, writer);
        } else if constexpr (requires { handler(asked, found); }) {
            return write_given(handler(asked, found), writer);
        } else {
            return write_given(handler(asked), writer);
        }
    };
}

}  // namespace detail

// Handlers are copied with it, so what copies share is referred to. Moved or copied before it serves only.
class router {
public:
    // Adds a handler. A pattern begins with a slash, its names are there once, a rest is its end; and there
    // is one handler for a method and a pattern, whatever the names in it: all else is misuse.
    template <detail::routed_handler Handler>
    router& add(std::string_view method, std::string_view pattern, Handler handler) {
        insert(method, pattern, detail::route_to(std::move(handler)));
        return *this;
    }
    template <detail::routed_handler Handler>
    router& get(std::string_view pattern, Handler handler) {
        return add("GET", pattern, std::move(handler));
    }
    template <detail::routed_handler Handler>
    router& post(std::string_view pattern, Handler handler) {
        return add("POST", pattern, std::move(handler));
    }
    template <detail::routed_handler Handler>
    router& put(std::string_view pattern, Handler handler) {
        return add("PUT", pattern, std::move(handler));
    }
    template <detail::routed_handler Handler>
    router& patch(std::string_view pattern, Handler handler) {
        return add("PATCH", pattern, std::move(handler));
    }
    template <detail::routed_handler Handler>
    router& remove(std::string_view pattern, Handler handler) {
        return add("DELETE", pattern, std::move(handler));
    }

    // Answers. The router, the request and the writer live until then. Throws what the handler throws.
    [[nodiscard]] task<> operator()(const request& asked, response_writer& writer) const;

private:
    // A part of a pattern, between two slashes. In the order in which they are preferred.
    enum class part_kind : unsigned char { fixed, parameter, rest };
    struct part {
        part_kind kind;
        std::string text;  // or the name
    };
    struct route {
        std::string method;
        std::vector<part> parts;
        detail::route_function handler;
    };

    void insert(std::string_view method, std::string_view pattern, detail::route_function handler);
    [[nodiscard]] static std::vector<part> parts_of(std::string_view pattern);
    [[nodiscard]] static bool fits(const route& candidate, const std::vector<std::string_view>& encoded,
                                   const std::vector<std::string>& decoded);
    [[nodiscard]] response refusal(std::string_view method, const std::vector<const route*>& fitting) const;

    std::vector<route> routes_;  // of those that fit the same path the preferred one is first
};

}  // namespace leat::http
