#pragma once

#include "engine/damon/plan.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cgtide::test {

/// The writes in short, as `path=text`: targets as T0, schemes as S0, regions as R0, filters as F0.
inline std::vector<std::string> lines(const std::vector<damon::Write>& writes) {
    static const std::vector<std::pair<std::string, std::string>> kShort{
        {"contexts/0/targets/", "T"},
        {"contexts/0/schemes/", "S"},
        {"contexts/0/monitoring_attrs/", ""},
        {"/regions/", "/R"},
        {"/core_filters/", "/F"},
        {"/quotas/", "/Q"},
        {"/access_pattern/", "/P"}};
    std::vector<std::string> found;
    for (const damon::Write& write : writes) {
        std::string path = write.path;
        for (const auto& [from, to] : kShort) {
            if (const auto at = path.find(from); at != std::string::npos) {
                path.replace(at, from.size(), to);
            }
        }
        found.push_back(path + "=" + write.text);
    }
    return found;
}

/// Texts by paths.
using FileTexts = std::map<std::string, std::string>;

/// What was written to files below a folder such as `x/y/`, by their paths in it.
inline FileTexts files(const std::vector<damon::Write>& writes, const std::string& folder = "") {
    FileTexts texts;
    for (const damon::Write& write : writes) {
        if (write.path.starts_with(folder)) {
            texts[write.path.substr(folder.size())] = write.text;
        }
    }
    return texts;
}

/// Type, matching and allow of the filters in a folder, with the path of a cgroup or addresses.
inline std::vector<std::string> filters(FileTexts texts, const std::string& folder) {
    std::vector<std::string> found;
    for (int i = 0; i < std::stoi(texts.at(folder + "/nr_filters")); ++i) {
        const std::string filter = folder + "/" + std::to_string(i) + "/";
        found.push_back(texts.at(filter + "type") + " " + texts.at(filter + "matching") +
                        texts.at(filter + "allow") + texts[filter + "memcg_path"] +
                        texts[filter + "addr_start"]);
        if (texts.contains(filter + "addr_end")) {
            found.back() += "-" + texts[filter + "addr_end"];
        }
    }
    return found;
}

} // namespace cgtide::test
