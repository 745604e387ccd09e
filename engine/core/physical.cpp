#include "engine/core/capability_rows.hpp"
#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/monitor/choice.hpp"

#include <algorithm>
#include <utility>

namespace cgtide::core {

namespace asio = boost::asio;

namespace {

constexpr const char* kName = "idle times by physical regions";

/// What is told of page cache that read(2) alone uses, where there is more to say than that.
std::string detail_of(model::PageCache state) {
    using model::PageCache;
    switch (state) {
    case PageCache::mglru:
        return "page cache that read(2) uses stays unseen: multi-generational LRU hides its use "
               "(/sys/kernel/mm/lru_gen/enabled)";
    case PageCache::unsupported:
        return "page cache that read(2) uses stays unseen: DAMON has no filter for pages that "
               "nobody maps";
    default:
        return "watched where it is needed";
    }
}

} // namespace

monitor::PhysicalUse Engine::physical_use() const {
    return monitor::physical_use(sensor_, regions_work_, options_.generations != nullptr);
}

/// Says what came of taking DAMON over. Before anything is watched.
void Engine::tell_physical(const std::string& trouble) {
    if (physical_use() == monitor::PhysicalUse::nothing) {
        return;
    }
    RegionSensor& sensor = options_.sensor;
    model::Capability told{.name = kName,
                           .present = false,
                           .probed = "/sys/kernel/mm/damon/admin/kdamonds",
                           .detail = trouble,
                           .without = "page cache that read(2) uses is unseen"};
    if (trouble.empty()) {
        sensor.physical->support(sensor.pool->physical());
        told.detail = sensor.pool->no_memory();
        told.present = told.detail.empty();
    }
    if (!told.present) {
        log::info("no {}: {}", kName, told.detail);
    }
    options_.capabilities.push_back(std::move(told));
}

void Engine::note_physical(model::PageCache state) {
    model::Capability* row = find_row(options_.capabilities, kName);
    if (row != nullptr && row->present) {
        row->detail = detail_of(state);
    }
}

void Engine::lose_physical(const std::string& why) {
    mark_missing(options_.capabilities, kName, why);
}

std::string Engine::why_no_physical() const {
    const model::Capability* row = find_row(options_.capabilities, kName);
    return row == nullptr || row->present ? std::string() : row->detail;
}

std::vector<monitor::PhysicalWish>
Engine::physical_wishes(const std::vector<monitor::Wish>& wishes) const {
    std::vector<monitor::PhysicalWish> counted;
    for (const monitor::Wish& wish : wishes) {
        const Pointer container = registry_.by_id(wish.id);
        if (container != nullptr && container->snapshot && container->snapshot->stat) {
            const cgroup::MemoryStat& stat = *container->snapshot->stat;
            counted.push_back({wish, {stat.anon, stat.file, stat.shmem, stat.file_mapped}});
        }
    }
    return counted;
}

asio::awaitable<void> Engine::count_memory() {
    const auto read = [this] {
        return options_.sensor.pool->read_memory();
    };
    auto reading = co_await offload(damon_, read);
    if (!reading) {
        log::write_limited(log::Level::warning, "regions", reading.error().message());
        co_return;
    }
    if (!*reading) {
        co_return;
    }
    const auto take = [&] {
        options_.sensor.physical->take(std::move(**reading),
                                       !options_.sensor.regions->has_stream());
    };
    co_await offload(sensors_, take);
}

} // namespace cgtide::core
