// SPDX-License-Identifier: MIT
// As tests.hpp, for the suite net.
#pragma once

#include "tests.hpp"

#if defined(LEAT_HAS_HTTP)
#include <leat/http.hpp>
#endif
#if defined(LEAT_HAS_TLS)
#include <leat/tls.hpp>
#endif
