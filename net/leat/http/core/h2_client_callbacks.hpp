// SPDX-License-Identifier: MIT
// What nghttp2 calls as it reads and writes the frames of an h2_client_session. No exception passes through
// it.
#pragma once

#include <leat/http/core/h2_client_session.hpp>
#include <leat/http/core/h2_engine.hpp>

#include <cstddef>
#include <cstdint>

namespace leat::http::detail {

struct h2_client_session::callbacks {
    // The source of all requests' bodies: gives nothing while there is nothing, or while enough is to be
    // sent.
    static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                             std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                             void* user_data) noexcept;

    // See make_h2_callbacks().
    static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) noexcept;
    static int take_field(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                          std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                          std::uint8_t flags, void* user_data) noexcept;
    static int take_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) noexcept;
    static int take_invalid(nghttp2_session* session, const nghttp2_frame* frame, int error,
                            void* user_data) noexcept;
    static int take_body(nghttp2_session* session, std::uint8_t flags, std::int32_t id,
                         const std::uint8_t* bytes, std::size_t size, void* user_data) noexcept;
    static int close(nghttp2_session* session, std::int32_t id, std::uint32_t why, void* user_data) noexcept;
    static int send_body(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                         std::size_t size, nghttp2_data_source* source, void* user_data) noexcept;
    static int sent(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) noexcept;
};

}  // namespace leat::http::detail
