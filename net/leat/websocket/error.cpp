// SPDX-License-Identifier: MIT
#include <leat/websocket/error.hpp>

#include <string>

namespace leat::websocket {
namespace {

class category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "websocket"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<error>(value)) {
            case error::closed:
                return "the WebSocket was closed on this side";
            case error::truncated:
                return "the connection ended without a WebSocket close: messages may be missing";
            case error::protocol:
                return "the peer broke the WebSocket protocol";
            case error::invalid_text:
                return "the peer sent a text that is not UTF-8";
            case error::message_too_big:
                return "the peer sent a message that is longer than allowed";
            case error::bad_handshake:
                return "the server's answer does not fit the WebSocket handshake";
        }
        return "WebSocket error";
    }
};

}  // namespace

const std::error_category& websocket_category() noexcept {
    static const category instance;
    return instance;
}

}  // namespace leat::websocket
