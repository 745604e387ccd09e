#pragma once

#include "cgroup/base/units.hpp"
#include "engine/model/actuator.hpp"
#include "engine/model/app_name.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cgtide::model {

/// Which pages reclaim may take. `automatic`: `all` where swap exists, else `file`.
enum class Pages : std::uint8_t { automatic, file, anon, all };

std::string_view to_string(Pages pages);

/// The pace of reclaim: a node's administrator defines profiles, annotations choose among the
/// granted ones.
struct Profile {
    std::string name = "default";
    double ratio = 0.0005;          ///< share of usage asked for in a period at zero pressure
    BasisPoints max{100.0};         ///< at most this share of usage in a period
    Microseconds period{6'000'000}; ///< control period
    BasisPoints cpu{100.0};         ///< an app's CPU for one container, as a share of one core
    double weight = 1.0;            ///< where containers share the fastest tier
};

/// Bytes, or a share of something.
using Amount = std::variant<Bytes, BasisPoints>;

/// ... of `all` bytes. Pure.
Bytes bytes_of(const Amount& amount, Bytes all);

struct ReclaimPolicy {
    BasisPoints pressure{10.0};     ///< target: share of time that tasks may stall
    Microseconds idle{120'000'000}; ///< only memory idle for at least this long
    Amount keep = mebibytes(16);    ///< what it leaves alone at least, of usage
    Pages pages = Pages::automatic;
};

/// A container's share of the fastest memory tier, of all of it.
struct TierPolicy {
    Amount low = Bytes{0};              ///< protected while it has hot memory to fill it
    Amount high = BasisPoints{10000.0}; ///< bound
};

/// An annotation that was refused: what it said, why, and what it turned off.
struct PolicyFault {
    std::string key;
    std::string value;          ///< as given; print it through printable()
    std::string message;        ///< names the allowed values; printable
    std::optional<AppName> app; ///< the app that stays off because of it

    bool operator==(const PolicyFault&) const = default;
};

/// What one container asked for and was granted.
struct Policy {
    std::string name; ///< what people call the container; printable
    std::vector<AppName>
        apps; ///< those that run, in the order of AppName; refused ones are left out
    Profile profile;
    bool dry_run = false;
    ReclaimPolicy reclaim;
    TierPolicy tier;
    std::vector<PolicyFault> faults;

    bool runs(AppName app) const;
};

/// What containers may choose beyond the defaults. First match wins.
struct Grant {
    std::optional<std::string> cgroup; ///< prefix of whole path components, such as `/pods/team-a`
    std::optional<std::string> name_space; ///< Kubernetes namespace
    std::vector<AppName> apps;
    std::vector<std::string> profiles;
    Amount low = Bytes{0}; ///< of the fastest tier: the most that `tier.fast` may protect
};

/// No annotation passes these; both ends are inclusive.
struct Bounds {
    Microseconds idle_low{0};
    Microseconds idle_high{Microseconds::max()};
    BasisPoints pressure_low{0.0};
    BasisPoints pressure_high{10000.0};
};

/// What reclaim of all containers together may use.
struct NodeLimits {
    Bytes rate = mebibytes(256);        ///< a second
    Bytes swap_rate{Bytes::kUnlimited}; ///< ... of requests that may take anonymous memory
    BasisPoints cpu{10'000.0};          ///< of one processor
};

/// Whether DAMON's kernel modules (DAMON_STAT and its like), which keep everybody else out, may be
/// stopped while the engine runs.
enum class Takeover : std::uint8_t { modules, never };

/// Which sensor tells idle times: the better one for each container, or one by name.
enum class IdleSensor : std::uint8_t { automatic, regions, generations, physical };

/// The node's `cgtide.toml`.
struct Settings {
    std::map<std::string, Profile, std::less<>>
        profiles; ///< `default` and `eager` are always there
    std::vector<Grant> grants;
    Bounds bounds;
    NodeLimits node;
    std::optional<Actuator> actuator;      ///< `reclaim.actuator`, of proven bytes; none: `auto`
    std::optional<Actuator> mover;         ///< `tier.mover`; none: `auto`; read once, at start
    Takeover takeover = Takeover::modules; ///< `damon.takeover`; read once, at start
    BasisPoints damon_cpu{3000.0};         ///< `damon.cpu`, of one processor; read once, at start
    std::optional<Microseconds> damon_sample; ///< `damon.sample`; none: `auto`; read once, at start
    IdleSensor sensor = IdleSensor::automatic; ///< `idle.sensor`; read once, at start
};

/// Settings of a node without a file: the built-in profiles, no grant.
Settings default_settings();

} // namespace cgtide::model
