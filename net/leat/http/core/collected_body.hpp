// SPDX-License-Identifier: MIT
// collected_body: the body of a request that has come whole, for a handler that reads it piece by piece: it
// is one piece. HTTP/2 collects the bodies of its requests.
#pragma once

#include <leat/http/core/incoming_body.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::http::detail {

class collected_body final : public incoming_body {
public:
    // `whole` outlives it.
    explicit collected_body(std::string_view whole) noexcept : size_(whole.size()), rest_(whole) {}

    [[nodiscard]] task<std::string_view> next() override {
        if (refused_) {
            throw std::system_error(refused_, "body of a request");
        }
        co_return std::exchange(rest_, {});
    }
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return size_; }
    void refuse(std::error_code why) noexcept override { refused_ = why; }
    // Why no more of it is wanted, if that was said.
    [[nodiscard]] std::error_code refused() const noexcept { return refused_; }

private:
    std::uint64_t size_;
    std::string_view rest_;
    std::error_code refused_;
};

}  // namespace leat::http::detail
