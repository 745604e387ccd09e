#include "engine/monitor/choice.hpp"

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
    if (views.regions == nullptr) {
        return told(views.generations, IdleChoice::only);
    }
    if (views.generations == nullptr) {
        return told(views.regions, IdleChoice::preferred);
    }
    const bool sees_more =
        model::seen(*views.generations).count > model::seen(*views.regions).count;
    return sees_more ? told(views.generations, IdleChoice::sees_more)
                     : told(views.regions, IdleChoice::preferred);
}

bool wants_generations(model::IdleSensor sensor, bool regions_work, const model::IdleView* regions,
                       const Charged& charged, Microseconds lived) {
    constexpr Microseconds kBegin{20'000'000};
    if (sensor != model::IdleSensor::automatic) {
        return sensor == model::IdleSensor::generations;
    }
    if (!regions_work) {
        return true;
    }
    if (regions == nullptr) {
        return lived >= kBegin;
    }
    return model::seen(*regions).count < charged.anon.count / 5 * 4;
}

} // namespace cgtide::monitor
