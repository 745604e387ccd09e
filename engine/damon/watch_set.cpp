#include "engine/damon/watch_set.hpp"

#include <atomic>
#include <unordered_set>

namespace cgtide::damon {

namespace {

using Word = std::atomic_ref<unsigned long long>;

} // namespace

std::size_t WatchSet::assign(std::span<const std::uint64_t> keys) {
    const std::unordered_set<std::uint64_t> wanted(keys.begin(), keys.end());
    for (cgtide_set& set : sets_) {
        for (auto& key : set.key) {
            if (const auto old = Word(key).load(); old != 0 && !wanted.contains(old)) {
                Word(key).store(0);
            }
        }
    }
    std::size_t without_room = 0;
    for (const std::uint64_t key : wanted) {
        without_room += key != 0 && !insert(key) ? 1U : 0U;
    }
    return without_room;
}

bool WatchSet::insert(std::uint64_t key) {
    cgtide_set& set = sets_[cgtide_set_of(key, static_cast<unsigned>(sets_.size()))];
    std::size_t free = cgtide_ways;
    for (std::size_t way = 0; way < cgtide_ways; ++way) {
        const auto old = Word(set.key[way]).load();
        if (old == key) {
            return true;
        }
        if (old == 0) {
            free = way;
        }
    }
    if (free == cgtide_ways) {
        return false;
    }
    // The mark first: it belongs to the key from the moment that the key is there.
    Word(set.mark[free]).store(0);
    Word(set.key[free]).store(key);
    return true;
}

} // namespace cgtide::damon
