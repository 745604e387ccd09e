#include "engine/damon/lru_gen.hpp"

#include "tests/fuzz/check.hpp"

using cgtide::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide::damon;
    const auto groups = parse_lru_gen(cgtide::fuzz::as_text(data, size));
    if (!groups) {
        return 0;
    }
    for (const auto& [path, group] : *groups) {
        check(!path.empty() && path.find('\n') == std::string::npos);
        for (const NodeGenerations& node : group.nodes) {
            check(!node.generations.empty());
            for (std::size_t i = 0; i < node.generations.size(); ++i) {
                check(node.generations[i].age.count() >= 0);
                check(i == 0 || node.generations[i - 1].number < node.generations[i].number);
            }
        }
    }
    return 0;
}
