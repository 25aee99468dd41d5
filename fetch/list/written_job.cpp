// SPDX-License-Identifier: MIT
#include <fetch/list/written_job.hpp>

namespace fetch {

std::string written_job(const job& of) {
    if (!of.mistake.empty()) {
        return "# " + of.mistake;
    }
    std::string line = of.url;
    const auto add = [&](const char* name, const std::string& value) { line += "\t" + (name + value); };
    if (!of.output.empty()) {
        add("out=", of.output);
    }
    if (of.checksum) {
        add("checksum=", std::string(name_of(of.checksum->kind)) + "=" + hexadecimal(*of.checksum));
    }
    if (of.size) {
        add("size=", std::to_string(*of.size));
    }
    for (const std::string& mirror : of.mirrors) {
        add("mirror=", mirror);
    }
    for (const auto& field : of.fields) {
        add("header=", std::string(field.name) + ": " + std::string(field.value));
    }
    return line;
}

}  // namespace fetch
