#pragma once

#include "engine/core/control.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace cgtide::serve {

/// An engine with one container, `web`, that writes down what it was asked.
class FakeControl : public core::Control {
public:
    boost::asio::awaitable<Result<std::string>> enroll(oci::Record record) override {
        asked.push_back("enroll " + record.id);
        if (enroll_error) {
            co_return tl::unexpected(*enroll_error);
        }
        co_return record.id;
    }
    boost::asio::awaitable<Result<void>> retire(std::string id, std::string bundle) override {
        asked.push_back("retire " + id + " " + bundle);
        co_return known(id);
    }
    std::vector<model::ContainerSummary> list(bool all) const override {
        std::vector<model::ContainerSummary> found(all ? 2 : 1, web());
        if (all) {
            found.back().ended = true;
        }
        return found;
    }
    std::vector<model::RefusedRecord> refused() const override {
        return {{"00000000000000aa", "db", "shared-cgroup", "web has it"}};
    }
    std::vector<model::StatRow> stats(bool all) const override {
        std::vector<model::StatRow> rows(all ? 2 : 1);
        rows.front().name = "web";
        rows.back().ended = all;
        return rows;
    }
    Result<model::StatRow> stat(std::string_view name) const override {
        return known(name).map([&] {
            model::StatRow row = stats(false).front();
            row.ended = ended;
            return row;
        });
    }
    Result<core::PastTimes> history(std::string_view name) const override {
        return known(name).map([&] {
            return core::PastTimes{web(), std::vector<model::HistoryPoint>(2)};
        });
    }
    Result<model::ContainerDetail> inspect(std::string_view name) const override {
        if (auto found = known(name); !found) {
            return tl::unexpected(found.error());
        }
        model::ContainerDetail detail;
        detail.summary = web();
        return detail;
    }
    Result<core::Explanation> explain(std::string_view name, std::size_t limit) const override {
        if (auto found = known(name); !found) {
            return tl::unexpected(found.error());
        }
        return core::Explanation{web(), std::vector<model::JournalEntry>(limit), 7};
    }
    Result<core::IdleTimes> idle(std::string_view name) const override {
        if (name == "blind") {
            return fail(Errc::unsupported, "idle",
                        std::string(core::kNoIdleView) + "no sensor has told of blind yet");
        }
        if (auto found = known(name); !found) {
            return tl::unexpected(found.error());
        }
        core::IdleTimes times{web(), {}};
        times.figures.summary.seen = mebibytes(3);
        times.no_regions = released ? "given back by hand" : "";
        return times;
    }
    Result<core::Forecast> what_if(std::string_view name,
                                   std::optional<Microseconds> idle) const override {
        return known(name).map([&] {
            model::WhatIf answer;
            answer.idle = idle.value_or(std::chrono::minutes(2));
            answer.anon = mebibytes(3);
            return core::Forecast{web(), answer};
        });
    }
    Result<core::Advice> suggest(std::string_view name) const override {
        if (name == "young") {
            return fail(Errc::unsupported, "suggest",
                        std::string(core::kNoHistory) + "what is known of young is too short");
        }
        return known(name).map([&] {
            model::Suggestion suggestion;
            suggestion.request = mebibytes(5);
            suggestion.confidence = model::Confidence::medium;
            return core::Advice{web(), suggestion};
        });
    }
    boost::asio::awaitable<Result<core::RegionTimes>> regions(std::string name,
                                                              model::RegionCut cut) override {
        asked.push_back(cut == model::RegionCut::runs ? "runs" : "mappings");
        if (auto found = known(name); !found || asked.size() > most) {
            co_return tl::unexpected(found ? Error{make_error_code(Errc::unsupported), "regions",
                                                   std::string(core::kNoIdleView) + "it has ended"}
                                           : found.error());
        }
        model::SpaceMap space{7, 42, TimePoint(std::chrono::seconds(3)), {}};
        space.regions.push_back({4096, 12288, Bytes{4096}, Microseconds{-5}, 18, "[heap]"});
        co_return core::RegionTimes{
            web(), {Microseconds{50'000}, Microseconds{1'000'000}, {std::move(space)}}};
    }
    boost::asio::awaitable<Result<void>> attach(std::string name, model::AppName app) override {
        asked.push_back("attach " + name + " " + std::string(model::to_string(app)));
        co_return known(name);
    }
    boost::asio::awaitable<Result<void>> detach(std::string name, model::AppName app) override {
        asked.push_back("detach " + name + " " + std::string(model::to_string(app)));
        co_return known(name);
    }
    boost::asio::awaitable<Result<std::string>> release_damon() override {
        asked.push_back("release");
        if (std::exchange(released, true)) {
            co_return fail(Errc::conflict, "release",
                           std::string(core::kNoDamon) + "given back by hand");
        }
        co_return "started again: damon_stat";
    }
    boost::asio::awaitable<Result<std::size_t>> pause() override {
        asked.push_back("pause");
        if (full) {
            co_return fail_errno(ENOSPC, "write", "paused");
        }
        is_paused = true;
        co_return 1;
    }
    boost::asio::awaitable<Result<void>> resume() override {
        asked.push_back("resume");
        if (full) {
            co_return fail_errno(EROFS, "remove", "paused");
        }
        is_paused = false;
        co_return Result<void>{};
    }
    bool paused() const override { return is_paused; }
    boost::asio::awaitable<model::TierView> tiers() override {
        model::TierView view;
        view.topology.tiers = {{4, {{0, true, mebibytes(1024), {}}}},
                               {450, {{1, false, mebibytes(2048), {}}}}};
        view.topology.strays = {2};
        view.free = {{0, mebibytes(10)}};
        view.uses = {{"db", "b2", {}}, {"web", "a1", {mebibytes(1), mebibytes(2)}}};
        view.uses.back().share = model::TierShare{.low = mebibytes(1),
                                                  .high = {Bytes::kUnlimited},
                                                  .target = {},
                                                  .hot = mebibytes(4),
                                                  .hot_fast = mebibytes(3),
                                                  .promoted = mebibytes(5),
                                                  .demoted = mebibytes(6),
                                                  .returned = mebibytes(7)};
        co_return view;
    }
    boost::asio::awaitable<std::vector<model::Capability>> capabilities() override {
        std::vector<model::Capability> rows{
            {"memory.reclaim", true, "/sys/fs/cgroup/memory.reclaim", "writable", "nothing", true}};
        co_return rows;
    }

    std::vector<std::string> asked;
    std::optional<Error> enroll_error;
    bool released = false; ///< DAMON was given back
    bool is_paused = false;
    bool full = false;       ///< the run folder keeps nothing
    bool ended = false;      ///< the container has ended
    std::size_t most = 100;  ///< questions that are answered before the container ends
    std::size_t padding = 0; ///< bytes that make a reply large

private:
    static Result<void> known(std::string_view name) {
        if (name == "w") {
            return fail(Errc::conflict, "find", "web\nweb2");
        }
        if (name == "forbidden") {
            return fail(Errc::denied, "attach", "no grant for reclaim");
        }
        if (name != "web") {
            return fail(Errc::not_found, "find", std::string(name));
        }
        return {};
    }
    model::ContainerSummary web() const {
        model::ContainerSummary summary;
        summary.name = "web" + std::string(padding, 'x');
        summary.id = "a1";
        summary.cgroup = {4711};
        return summary;
    }
};

} // namespace cgtide::serve
