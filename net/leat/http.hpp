// SPDX-License-Identifier: MIT
// The public face of HTTP: URLs, headers and messages, the client, and the server.
#pragma once

#include <leat/http/access_log.hpp>
#include <leat/http/answers.hpp>
#include <leat/http/client.hpp>
#include <leat/http/compressed.hpp>
#include <leat/http/conditional.hpp>
#include <leat/http/connect_by_proxy.hpp>
#include <leat/http/cookie_file.hpp>
#include <leat/http/cookie_jar.hpp>
#include <leat/http/cookies.hpp>
#include <leat/http/error.hpp>
#include <leat/http/event_stream.hpp>
#include <leat/http/form.hpp>
#include <leat/http/forwarded.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/media_type.hpp>
#include <leat/http/message.hpp>
#include <leat/http/multipart.hpp>
#include <leat/http/netrc.hpp>
#include <leat/http/range.hpp>
#include <leat/http/retry_after.hpp>
#include <leat/http/router.hpp>
#include <leat/http/server.hpp>
#include <leat/http/static_files.hpp>
#include <leat/http/target.hpp>
#include <leat/http/uploads.hpp>
#include <leat/http/url.hpp>
