// SPDX-License-Identifier: MIT
#include <fetch/engine/job_urls.hpp>

#include <algorithm>
#include <utility>

namespace fetch {

std::string urls_of(const job& of, std::vector<leat::http::url>& urls) {
    std::string mistake = of.mistake;
    const auto read = [&](const std::string& text) {
        auto url = leat::http::url::try_parse(text);
        if (url.ok()) {
            urls.push_back(std::move(url).value());
        } else if (mistake.empty()) {
            mistake = leat::http::short_url(text) + ": " + url.error().message();
        }
    };
    if (mistake.empty()) {
        read(of.url);
        std::for_each(of.mirrors.begin(), of.mirrors.end(), read);
    }
    return mistake;
}

}  // namespace fetch
