#include "cgroup/parse/nodes.hpp"

#include "cgroup/parse/numa_maps.hpp"
#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const std::string_view text = fuzz::as_text(data, size);
    if (const auto ids = cgroup::parse_id_list(text)) {
        fuzz::check(std::is_sorted(ids->begin(), ids->end()));
        std::string printed;
        for (const unsigned id : *ids) {
            printed += (printed.empty() ? "" : ",") + std::to_string(id);
        }
        const auto again = cgroup::parse_id_list(printed + "\n");
        fuzz::check(again && *again == *ids);
    }
    if (const auto memory = cgroup::parse_node_meminfo(text)) {
        fuzz::check(memory->total.count % 1024 == 0 && memory->free.count % 1024 == 0);
    }
    if (const auto distances = cgroup::parse_distances(text)) {
        fuzz::check(distances->size() <= text.size());
    }
    if (const auto found = cgroup::parse_own_placement(text)) {
        for (std::size_t i = 0; i < found->size(); ++i) {
            fuzz::check((*found)[i].start < (*found)[i].end);
            fuzz::check(i == 0 || (*found)[i - 1].end < (*found)[i].start);
        }
    }
    if (const auto pages = cgroup::parse_watermarks(text)) {
        fuzz::check(pages->size() <= text.size());
    }
    return 0;
}
