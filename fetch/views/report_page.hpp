// SPDX-License-Identifier: MIT
// report_page: the page of fetch/views/report.html, which the build makes a source of (embed_page.py), with
// "@RUN@" where the run's data goes. For report.
#pragma once

#include <string_view>

namespace fetch {

[[nodiscard]] std::string_view report_page() noexcept;

}  // namespace fetch
