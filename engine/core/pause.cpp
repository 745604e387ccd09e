#include "engine/core/engine.hpp"
#include "engine/core/log.hpp"
#include "engine/core/offload.hpp"
#include "engine/core/wait.hpp"

#include <chrono>
#include <utility>

namespace cgtide::core {

namespace asio = boost::asio;

asio::awaitable<void> Engine::read_pause() {
    const auto read = [this] {
        return options_.run.paused();
    };
    const auto paused = co_await offload(sensors_, read);
    if (!paused) { // whoever made it wanted nothing to be reclaimed
        log::error("taken for paused: {}", paused.error().message());
    }
    paused_ = paused.value_or(true);
    if (paused_) {
        log::warning("paused: nothing is reclaimed until cgtide resume");
    }
}

asio::awaitable<Result<std::size_t>> Engine::pause() {
    // The sensor thread takes calls in their order, so that the last one asked wins here and there.
    const auto keep = [this] {
        return options_.run.pause(true);
    };
    const auto kept = co_await offload(sensors_, keep);
    if (!kept) {
        co_return tl::unexpected(kept.error());
    }
    if (!std::exchange(paused_, true)) {
        log::warning("paused by hand: nothing is reclaimed until cgtide resume");
    }
    co_return co_await end_writes(writes_under_way(),
                                  std::chrono::steady_clock::now() + kPausePatience);
}

asio::awaitable<Result<void>> Engine::resume() {
    const auto end = [this] {
        return options_.run.pause(false);
    };
    const auto ended = co_await offload(sensors_, end);
    if (ended && std::exchange(paused_, false)) {
        log::info("resumed by hand");
    }
    co_return ended;
}

/// What is queued or under way now.
std::vector<Engine::Write> Engine::writes_under_way() const {
    std::vector<Write> writes;
    for (const auto& [id, container] : registry_.live()) {
        if (container->writing) {
            writes.emplace_back(container, container->writing);
        }
    }
    return writes;
}

/// \returns how many had not ended at `latest`.
asio::awaitable<std::size_t> Engine::end_writes(std::vector<Write> writes, TimePoint latest) {
    // A signal that arrives between two writes is lost: it is sent until the last write has ended.
    constexpr auto kRepeat = std::chrono::milliseconds(20);
    asio::steady_timer timer(io_);
    bool waits = true;
    while (waits) {
        std::erase_if(writes,
                      [](const auto& write) { return write.first->writing != write.second; });
        for (const auto& [container, interrupt] : writes) {
            interrupt->stop();
        }
        const TimePoint next = std::chrono::steady_clock::now() + kRepeat;
        waits = !writes.empty() && next < latest;
        if (waits) {
            waits = co_await wait_until(timer, next);
        }
    }
    co_return writes.size();
}

asio::awaitable<void> Engine::see_end(Write write) {
    std::vector<Write> one;
    one.push_back(std::move(write));
    co_await end_writes(std::move(one), TimePoint::max());
}

/// Ends what is queued or under way for a container. Does not wait for it.
void Engine::end_write(const Pointer& container) {
    if (container->writing && !container->writing->was_stopped()) {
        tasks_.spawn(see_end({container, container->writing}));
    }
}

/// Ends what is done for an app that has left, or is to do nothing.
void Engine::end_unwanted_write(const Pointer& container) {
    if (!container->tenants[static_cast<std::size_t>(container->writer)] ||
        container->policy.dry_run) {
        end_write(container);
    }
}

} // namespace cgtide::core
