#include "engine/monitor/choice.hpp"

#include <algorithm>

namespace cgtide::monitor {

namespace {

std::shared_ptr<const model::IdleView> told(const std::shared_ptr<const model::IdleView>& view,
                                            model::IdleChoice choice) {
    if (view == nullptr || view->choice == choice) {
        return view;
    }
    auto copy = std::make_shared<model::IdleView>(*view);
    copy->choice = choice;
    return copy;
}

/// Whether a view may take over from the other: it knows as long an idle time, or a minute's.
bool is_ripe(const model::IdleView& view, const model::IdleView& other) {
    constexpr Microseconds kRipe{60'000'000};
    return view.watched >= std::min(other.watched, kRipe);
}

} // namespace

std::shared_ptr<const model::IdleView> choose(const IdleViews& views, model::IdleSensor sensor) {
    using model::IdleChoice;
    using model::IdleSensor;
    if (sensor == IdleSensor::regions) {
        return told(views.regions, IdleChoice::configured);
    }
    if (sensor == IdleSensor::generations) {
        return told(views.generations, IdleChoice::configured);
    }
    if (sensor == IdleSensor::physical) {
        return told(views.physical, IdleChoice::configured);
    }
    if (views.regions == nullptr) {
        return told(views.generations != nullptr ? views.generations : views.physical,
                    IdleChoice::only);
    }
    if (views.generations == nullptr) {
        return told(views.regions, IdleChoice::preferred);
    }
    if (model::seen(*views.generations).count > model::seen(*views.regions).count) {
        return is_ripe(*views.generations, *views.regions)
                   ? told(views.generations, IdleChoice::sees_more)
                   : told(views.regions, IdleChoice::watches_longer);
    }
    return is_ripe(*views.regions, *views.generations)
               ? told(views.regions, IdleChoice::preferred)
               : told(views.generations, IdleChoice::watches_longer);
}

bool wants_generations(model::IdleSensor sensor, bool regions_work, const IdleViews& views,
                       const Charged& charged, Microseconds lived) {
    constexpr Microseconds kBegin{20'000'000};
    if (sensor != model::IdleSensor::automatic) {
        return sensor == model::IdleSensor::generations;
    }
    if (!regions_work) {
        return true;
    }
    if (views.regions == nullptr) {
        return lived >= kBegin;
    }
    const std::uint64_t seen = model::seen(*views.regions).count;
    if (views.generations == nullptr) {
        return seen < charged.anon.count / 5 * 4;
    }
    return seen < charged.anon.count / 10 * 9 || !is_ripe(*views.regions, *views.generations);
}

PhysicalUse physical_use(model::IdleSensor sensor, bool regions_work, bool generations_work) {
    if (sensor == model::IdleSensor::physical) {
        return PhysicalUse::everything;
    }
    if (sensor != model::IdleSensor::automatic) {
        return PhysicalUse::nothing;
    }
    if (regions_work) {
        return PhysicalUse::page_cache;
    }
    return generations_work ? PhysicalUse::nothing : PhysicalUse::everything;
}

} // namespace cgtide::monitor
