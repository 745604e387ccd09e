#include "cgroup/parse/pressure.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

namespace cgtide::fuzz {
namespace {

bool is_share(BasisPoints share) {
    return share.count >= 0.0 && share.count <= 10000.0;
}

bool is_sane(const cgroup::PressureLine& line) {
    return is_share(line.avg10) && is_share(line.avg60) && is_share(line.avg300) &&
           line.total.count() >= 0;
}

} // namespace
} // namespace cgtide::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const std::string_view text = fuzz::as_text(data, size);
    if (const auto pressure = cgroup::parse_pressure(text)) {
        fuzz::check(fuzz::is_sane(pressure->some) && fuzz::is_sane(pressure->full));
        const auto again =
            cgroup::parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=" +
                                   std::to_string(pressure->some.total.count()) + "\n");
        fuzz::check(again && again->some.total == pressure->some.total);
    }
    return 0;
}
