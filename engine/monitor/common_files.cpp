#include "engine/monitor/common_files.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cgtide::monitor {

void CommonFiles::set(CgroupId id, std::span<const Space> spaces) {
    std::vector<FileId> files;
    for (const Space& space : spaces) {
        for (const cgroup::Mapping& mapping : space.mappings) {
            if (mapping.inode != 0) {
                files.push_back({mapping.device, mapping.inode});
            }
        }
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    forget(id);
    for (const FileId& file : files) {
        ++containers_[file];
    }
    files_[id] = std::move(files);
}

void CommonFiles::forget(CgroupId id) {
    const auto known = files_.extract(id);
    if (known.empty()) {
        return;
    }
    for (const FileId& file : known.mapped()) {
        const auto count = containers_.find(file);
        if (--count->second == 0) {
            containers_.erase(count);
        }
    }
}

std::vector<FileId> CommonFiles::of(CgroupId id) const {
    std::vector<FileId> common;
    if (const auto known = files_.find(id); known != files_.end()) {
        std::copy_if(known->second.begin(), known->second.end(), std::back_inserter(common),
                     [&](const FileId& file) { return containers_.at(file) > 1; });
    }
    return common;
}

} // namespace cgtide::monitor
