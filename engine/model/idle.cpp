#include "engine/model/idle.hpp"

namespace cgtide::model {

std::string_view to_string(IdleSource source) {
    switch (source) {
    case IdleSource::regions:
        return "regions";
    case IdleSource::generations:
        return "generations";
    case IdleSource::physical:
        return "physical";
    case IdleSource::regions_and_physical:
        return "regions+physical";
    }
    return "unknown";
}

std::string_view to_string(PageCache state) {
    switch (state) {
    case PageCache::off:
        return "off";
    case PageCache::little:
        return "little";
    case PageCache::pending:
        return "pending";
    case PageCache::seen:
        return "seen";
    case PageCache::no_room:
        return "no-room";
    case PageCache::mglru:
        return "mglru";
    case PageCache::unsupported:
        return "unsupported";
    }
    return "unknown";
}

std::string_view to_string(IdleChoice choice) {
    switch (choice) {
    case IdleChoice::configured:
        return "configured";
    case IdleChoice::preferred:
        return "preferred";
    case IdleChoice::only:
        return "only";
    case IdleChoice::sees_more:
        return "sees-more";
    case IdleChoice::watches_longer:
        return "watches-longer";
    }
    return "unknown";
}

Bytes cold_at(const IdleSummary& idle, Microseconds age) {
    for (const ColdBytes& cold : idle.cold) {
        if (cold.age == age && age <= idle.watched) {
            return cold.anon + cold.file;
        }
    }
    return {Bytes::kUnlimited};
}

Bytes seen(const IdleView& view) {
    Bytes sum;
    for (const IdleSlice& slice : view.slices) {
        sum = sum + slice.anon + slice.file;
    }
    return sum;
}

Bytes unsure(const IdleView& view) {
    Bytes sum;
    for (const IdleSlice& slice : view.slices) {
        sum = sum + slice.unsure;
    }
    return sum;
}

} // namespace cgtide::model
