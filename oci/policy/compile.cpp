#include "oci/policy/compile.hpp"

#include "oci/annotations.hpp"
#include "oci/policy/grant.hpp"
#include "oci/policy/keys.hpp"
#include "oci/policy/values.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace cgtide::policy {

namespace {

using model::AppName;

/// More are counted, not kept: a tenant decides how many keys there are.
constexpr std::size_t kMaxFaults = 64;

/// The app whose knob a key would be.
std::optional<AppName> app_of(std::string_view key) {
    for (const AppName app : model::kApps) {
        if (key.starts_with(std::string(model::to_string(app)) + ".")) {
            return app;
        }
    }
    return std::nullopt;
}

std::string format(const model::Amount& amount) {
    if (const auto* bytes = std::get_if<Bytes>(&amount)) {
        return format_bytes(*bytes);
    }
    return format_share(std::get<BasisPoints>(amount));
}

/// The policy under construction; every refusal goes through fault().
class Compiler {
public:
    Compiler(const oci::Annotations& annotations, const Subject& subject,
             const model::Settings& settings)
        : keys_(sort_keys(annotations)), settings_(settings), fast_tier_(subject.fast_tier),
          granted_(granted(settings, subject.cgroup_path, oci::name_space(annotations))) {
        policy_.name = printable(oci::display_name(annotations, subject.id));
        policy_.profile = profile("default");
    }

    model::Policy run() && {
        read_name();
        read_apps();
        read_profile();
        read_dry_run();
        read_reclaim();
        read_tier();
        read_unknown();
        drop_refused();
        return std::move(policy_);
    }

private:
    /// The value of a known key, where it is given and not too long.
    const Annotation* value(std::string_view key, std::optional<AppName> app) {
        const auto at = keys_.known.find(key);
        if (at == keys_.known.end()) {
            return nullptr;
        }
        if (at->second.value.size() > oci::kMaxValueBytes) {
            fault(at->second, "at most 253 bytes", app);
            return nullptr;
        }
        return &at->second;
    }

    void fault(const Annotation& annotation, std::string message, std::optional<AppName> app) {
        if (app) {
            refused_.push_back(*app);
        }
        if (policy_.faults.size() < kMaxFaults) {
            policy_.faults.push_back({std::string(annotation.key), std::string(annotation.value),
                                      std::move(message), app});
        } else {
            ++unlisted_;
        }
    }

    model::Profile profile(std::string_view name) const {
        const auto at = settings_.profiles.find(name);
        return at == settings_.profiles.end() ? model::Profile{} : at->second;
    }

    void read_name() {
        const Annotation* name = value("name", std::nullopt);
        if (name != nullptr && name->value.empty()) {
            fault(*name, "a name of 1 to 253 bytes", std::nullopt);
        }
    }

    void read_apps() {
        const Annotation* list = value("apps", std::nullopt);
        if (list == nullptr || trim(list->value).empty()) {
            return;
        }
        std::vector<std::string_view> seen;
        for (const std::string_view part : split(list->value, ',')) {
            const std::string_view name = trim(part);
            if (std::find(seen.begin(), seen.end(), name) == seen.end()) {
                seen.push_back(name);
                add_app(*list, name);
            }
        }
        std::sort(policy_.apps.begin(), policy_.apps.end());
    }

    void add_app(const Annotation& list, std::string_view name) {
        const auto app = model::app_name(name);
        if (!app) {
            const auto near = nearest(name, model::kAppNames);
            fault(list,
                  "unknown app '" + printable(name, 64) + "'" +
                      (near ? ", did you mean " + std::string(*near) + "?" : "") +
                      " (allowed: " + join(model::kAppNames) + ")",
                  std::nullopt);
        } else if (std::find(granted_.apps.begin(), granted_.apps.end(), *app) ==
                   granted_.apps.end()) {
            fault(list, "app '" + std::string(name) + "' is not granted here", *app);
        } else {
            policy_.apps.push_back(*app);
        }
    }

    void read_profile() {
        const Annotation* asked = value("profile", AppName::reclaim);
        if (asked == nullptr) {
            return;
        }
        const std::string_view name = trim(asked->value);
        const auto& allowed = granted_.profiles;
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            fault(*asked,
                  "profile '" + printable(name, 64) +
                      "' needs a grant (granted here: " + join(allowed) + ")",
                  AppName::reclaim);
        } else if (!settings_.profiles.contains(name) && name != "default") {
            fault(*asked, "no profile '" + printable(name, 64) + "' on this node",
                  AppName::reclaim);
        } else {
            policy_.profile = profile(name);
        }
    }

    void read_dry_run() {
        const Annotation* asked = value("dry-run", AppName::reclaim);
        if (asked == nullptr) {
            return;
        }
        const std::string_view text = trim(asked->value);
        if (text != "true" && text != "false") {
            fault(*asked, "allowed: true, false", AppName::reclaim);
        }
        policy_.dry_run = text == "true";
    }

    /// Takes a parsed value over, or its error as a fault of the app. \returns the annotation,
    /// where it was taken.
    template <class T, class Parse>
    const Annotation* read(std::string_view key, T& target, Parse parse,
                           AppName app = AppName::reclaim) {
        const Annotation* asked = value(key, app);
        if (asked == nullptr) {
            return nullptr;
        }
        auto parsed = parse(trim(asked->value), settings_.bounds);
        if (!parsed) {
            fault(*asked, parsed.error().detail, app);
            return nullptr;
        }
        target = *parsed;
        return asked;
    }

    void read_reclaim() {
        read("reclaim.pressure", policy_.reclaim.pressure, parse_pressure);
        read("reclaim.idle", policy_.reclaim.idle, parse_idle);
        read("reclaim.keep", policy_.reclaim.keep, parse_keep);
        read("reclaim.pages", policy_.reclaim.pages, parse_pages);
    }

    void read_tier() {
        const Annotation* asked = read("tier.fast", policy_.tier, parse_fast, AppName::tier);
        if (asked == nullptr) {
            return;
        }
        const Bytes low = model::bytes_of(policy_.tier.low, fast_tier_);
        if (is_over_grant(policy_.tier.low)) {
            fault(*asked, "LOW needs a grant (granted here: " + format(granted_.low) + ")",
                  AppName::tier);
        } else if (fast_tier_.count > 0 && model::bytes_of(policy_.tier.high, fast_tier_) < low) {
            fault(*asked,
                  "HIGH is below LOW in a fastest tier of " + format_bytes(fast_tier_) + " here",
                  AppName::tier);
        } else {
            return;
        }
        policy_.tier = {}; // root may attach the app all the same
    }

    /// Amounts of one unit are compared as they are. Others are not as long as there is no tier to
    /// take a share of: then nothing is granted.
    bool is_over_grant(const model::Amount& low) const {
        if (low.index() == granted_.low.index()) {
            return low > granted_.low;
        }
        if (fast_tier_.count == 0) {
            return low != model::Amount(Bytes{0}) && low != model::Amount(BasisPoints{0.0});
        }
        return model::bytes_of(low, fast_tier_) > model::bytes_of(granted_.low, fast_tier_);
    }

    void read_unknown() {
        for (const Annotation& unknown : keys_.unknown) {
            fault(unknown, unknown_key(unknown, keys_.container), app_of(unknown.name));
        }
        if (unlisted_ > 0) {
            policy_.faults.back() = {"", "", std::to_string(unlisted_ + 1) + " more refused keys",
                                     std::nullopt};
        }
    }

    void drop_refused() {
        std::erase_if(policy_.apps, [this](AppName app) {
            return std::find(refused_.begin(), refused_.end(), app) != refused_.end();
        });
    }

    Keys keys_;
    const model::Settings& settings_;
    Bytes fast_tier_;
    Granted granted_;
    model::Policy policy_;
    std::vector<AppName> refused_;
    std::size_t unlisted_ = 0;
};

} // namespace

model::Policy compile(const oci::Annotations& annotations, const Subject& subject,
                      const model::Settings& settings) {
    return Compiler(annotations, subject, settings).run();
}

} // namespace cgtide::policy
