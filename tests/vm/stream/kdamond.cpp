#include "tests/vm/stream/kdamond.hpp"

#include <stdexcept>

#include <unistd.h>

namespace cgtide::test {

namespace {

/// A page of this process, so that target 0 keeps the kdamond alive.
alignas(4096) char sentinel_page[4096];

[[noreturn]] void give_up(const Error& error) {
    throw std::runtime_error(error.message());
}

} // namespace

Kdamond::Kdamond(int process, damon::Range range) {
    auto dir = Dir::open("/sys/kernel/mm/damon/admin/kdamonds");
    if (!dir) {
        give_up(dir.error());
    }
    dir_ = std::move(*dir);
    write("nr_kdamonds", "1");
    write("0/contexts/nr_contexts", "1");
    write("0/contexts/0/operations", "fvaddr");
    const std::string attrs = "0/contexts/0/monitoring_attrs/";
    write(attrs + "intervals/sample_us", "20000");
    write(attrs + "intervals/aggr_us", "400000");
    write(attrs + "nr_regions/min", "10");
    write(attrs + "nr_regions/max", "200");
    write("0/contexts/0/targets/nr_targets", "2");
    const auto page = reinterpret_cast<std::uint64_t>(sentinel_page);
    set_target(0, ::getpid(), {page, page + sizeof(sentinel_page)});
    set_target(1, process, range);
    write("0/state", "on");
}

Kdamond::~Kdamond() {
    // It may have ended by itself, with its targets.
    static_cast<void>(dir_.write("0/state", "off"));
    static_cast<void>(dir_.write("nr_kdamonds", "0"));
}

int Kdamond::pid() const {
    const auto text = dir_.read("0/pid");
    if (!text) {
        give_up(text.error());
    }
    return std::stoi(*text);
}

void Kdamond::write(const std::string& file, std::string_view text) const {
    if (const auto written = dir_.write(file, text); !written) {
        give_up(written.error());
    }
}

void Kdamond::set_target(int index, int process, damon::Range range) const {
    const std::string target = "0/contexts/0/targets/" + std::to_string(index) + "/";
    write(target + "pid_target", std::to_string(process));
    write(target + "regions/nr_regions", "1");
    write(target + "regions/0/start", std::to_string(range.start));
    write(target + "regions/0/end", std::to_string(range.end));
}

} // namespace cgtide::test
