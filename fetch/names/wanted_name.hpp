#pragma once
#include <fetch/list/job.hpp>
#include <fetch/names/name_settings.hpp>
#include <leat/http/message.hpp>
#include <leat/http/url.hpp>
#include <fetch/names/safe_name.hpp>
namespace fetch {
inline std::string wanted_name(const name_settings&, const job& of, const leat::http::url& asked, const leat::http::response*) {
    if (!of.output.empty()) return safe_path(of.output, named_by::user);
    const std::string path(asked.path());
    return safe_name(path.substr(path.rfind('/') + 1));
}
}
