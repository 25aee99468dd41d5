// SPDX-License-Identifier: MIT
// What a parser makes of some bytes, as one line of text that tests compare: the same bytes cut up in any
// way must give the same line. Pieces of body are joined, for their cuts are the input's.
#pragma once

#include <leat/http/core/parser.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

inline std::string describe(const request& head) {
    return head.method + " " + head.target + (head.version == version::http_1_0 ? " 1.0" : "");
}
inline std::string describe(const response& head) {
    return std::to_string(head.status) + (head.version == version::http_1_0 ? " 1.0" : "");
}

struct recorder_options {
    std::string_view method = "GET";  // what the responses answer
    detail::parser_limits limits{};
    bool finish = true;                                    // the connection ends behind the input
    detail::strictness how = detail::strictness::lenient;  // towards responses
};

template <typename Parser>
class recorder {
public:
    explicit recorder(recorder_options options) : options_(options), parser_(make(options)) { start(); }

    // Feeds `bytes` until they are used up; messages follow each other as long as the connection persists.
    void feed(std::string_view bytes) {
        std::string copy(bytes);  // at an address of its own, so that a view kept too long is found out
        std::string_view input = copy;
        while (!stopped_) {
            const auto step = parser_.next(input);
            if (!step) {
                return stop(step.error());
            }
            switch (*step) {
                case detail::progress::more:
                    return;
                case detail::progress::interim:
                    note("interim " + describe(parser_.message()));
                    break;
                case detail::progress::head:
                    note_head();
                    break;
                case detail::progress::body:
                    body_ += parser_.body();
                    break;
                case detail::progress::end:
                    end();
                    break;
            }
        }
    }

    std::string finish() {
        if (!stopped_ && options_.finish && !parser_.idle()) {
            const auto step = parser_.finish();
            if (step) {
                end();
            } else {
                stop(step.error());
            }
        }
        note_body();
        return line_;
    }

private:
    static Parser make(const recorder_options& options) {
        if constexpr (std::same_as<Parser, detail::response_parser>) {
            return detail::response_parser(options.limits, options.how);
        } else {
            return detail::request_parser(options.limits);
        }
    }
    void start() {
        if constexpr (std::same_as<Parser, detail::response_parser>) {
            parser_.start(options_.method);
        } else {
            parser_.start();
        }
    }
    void note(const std::string& text) { line_ += (line_.empty() ? "" : "; ") + text; }
    void note_body() {
        if (!body_.empty()) {
            note("body " + body_);
            body_.clear();
        }
    }
    static std::string listed(const headers& fields) {
        std::string text;
        for (const auto& [name, value] : fields) {
            text.append(" [").append(name).append("=").append(value).append("]");
        }
        return text;
    }
    void note_head() { note(describe(parser_.message()) + listed(parser_.message().headers)); }
    void note_trailers() {
        if (const http::headers& trailers = parser_.message().trailers; !trailers.empty()) {
            note("trailers" + listed(trailers));
        }
    }
    void end() {
        note_body();
        note_trailers();
        note(parser_.keep_alive() ? "end" : parser_.upgrade() ? "end upgrade" : "end close");
        stopped_ = !parser_.keep_alive() || parser_.upgrade();
        if (!stopped_) {
            start();
        }
    }
    void stop(std::error_code failure) {
        note_body();
        note("error: " + failure.message());
        stopped_ = true;
    }

    recorder_options options_;
    Parser parser_;
    std::string line_;
    std::string body_;
    bool stopped_ = false;
};

template <typename Parser>
std::string record(const std::vector<std::string_view>& pieces, recorder_options options = {}) {
    recorder<Parser> made(options);
    for (const std::string_view piece : pieces) {
        made.feed(piece);
    }
    return made.finish();
}

// The line for the whole input, or a complaint about the first way of cutting it that gives another one.
template <typename Parser>
std::string record_every_way(std::string_view input, recorder_options options = {}) {
    const std::string whole = record<Parser>({input}, options);
    for (std::size_t cut = 1; cut < input.size(); ++cut) {
        if (const auto other = record<Parser>({input.substr(0, cut), input.substr(cut)}, options);
            other != whole) {
            return "cut at " + std::to_string(cut) + ": " + other + " INSTEAD OF " + whole;
        }
    }
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < input.size(); ++at) {
        bytes.push_back(input.substr(at, 1));
    }
    const std::string bytewise = record<Parser>(bytes, options);
    return bytewise == whole ? whole : "byte by byte: " + bytewise + " INSTEAD OF " + whole;
}

}  // namespace leat::http
