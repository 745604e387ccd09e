#include "engine/monitor/common_files.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cgtide::monitor {

void CommonFiles::set(CgroupId id, std::span<const Space> spaces) {
    std::vector<File> files;
    for (const Space& space : spaces) {
        for (const cgroup::Mapping& mapping : space.mappings) {
            if (mapping.inode != 0) {
                files.push_back({{mapping.device, mapping.inode}, mapping.executable});
            }
        }
    }
    // Where some mappings of a file are executable, one of these is the one that is kept.
    std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
        return std::tuple(a.id, b.is_program) < std::tuple(b.id, a.is_program);
    });
    files.erase(std::unique(files.begin(), files.end(),
                            [](const File& a, const File& b) { return a.id == b.id; }),
                files.end());
    forget(id);
    for (const File& file : files) {
        ++containers_[file.id];
    }
    files_[id] = std::move(files);
}

void CommonFiles::forget(CgroupId id) {
    const auto known = files_.extract(id);
    if (known.empty()) {
        return;
    }
    for (const File& file : known.mapped()) {
        const auto count = containers_.find(file.id);
        if (--count->second == 0) {
            containers_.erase(count);
        }
    }
}

std::vector<FileId> CommonFiles::of(CgroupId id) const {
    std::vector<FileId> common;
    if (const auto known = files_.find(id); known != files_.end()) {
        for (const File& file : known->second) {
            if (file.is_program || containers_.at(file.id) > 1) {
                common.push_back(file.id);
            }
        }
    }
    return common;
}

} // namespace cgtide::monitor
