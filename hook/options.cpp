#include "hook/options.hpp"

#include "cgroup/base/text.hpp"
#include "oci/record.hpp"

#include <algorithm>

namespace cgtide::hook {

namespace {

constexpr std::string_view kOp = "usage";

/// Walks over the arguments, one flag with its value at a time.
class Arguments {
public:
    explicit Arguments(std::span<const char* const> args) : left_(args) {}

    bool next() {
        if (left_.empty()) {
            return false;
        }
        flag_ = left_.front();
        left_ = left_.subspan(1);
        inline_value_.reset();
        const std::size_t equals = flag_.find('=');
        if (flag_.starts_with("--") && equals != std::string_view::npos) {
            inline_value_ = flag_.substr(equals + 1);
            flag_ = flag_.substr(0, equals);
        }
        return true;
    }

    std::string_view flag() const { return flag_; }
    bool has_inline_value() const { return inline_value_.has_value(); }

    std::optional<std::string_view> value() {
        if (inline_value_ || left_.empty()) {
            return inline_value_;
        }
        const std::string_view value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }

private:
    std::span<const char* const> left_;
    std::string_view flag_;
    std::optional<std::string_view> inline_value_;
};

Result<void> take_path(Arguments& args, std::string& target) {
    const std::string flag(args.flag());
    const auto value = args.value();
    if (!value || !value->starts_with('/')) {
        return fail(Errc::malformed, kOp, flag + ": allowed is an absolute path");
    }
    target = *value;
    return {};
}

Result<void> take_stage(Arguments& args, std::optional<Stage>& target) {
    const auto value = args.value();
    if (value == "createRuntime") {
        target = Stage::create_runtime;
    } else if (value == "poststop") {
        target = Stage::poststop;
    } else {
        return fail(Errc::malformed, kOp, "--stage: allowed are createRuntime, poststop");
    }
    return {};
}

Result<void> take_budget(Arguments& args, std::chrono::milliseconds& target) {
    // Runtimes kill the hook after two seconds and fail the container.
    constexpr std::uint64_t kLeast = 10;
    constexpr std::uint64_t kMost = 1500;
    const auto value = to_u64(args.value().value_or(""));
    if (!value || *value < kLeast || *value > kMost) {
        return fail(Errc::malformed, kOp, "--budget: allowed are 10 to 1500 (milliseconds)");
    }
    target = std::chrono::milliseconds(*value);
    return {};
}

bool take_switch(Arguments& args, Options& options) {
    if (args.has_inline_value()) {
        return false;
    }
    const std::string_view flag = args.flag();
    bool* target = flag == "--strict"                    ? &options.strict
                   : flag == "--help" || flag == "-h"    ? &options.help
                   : flag == "--version" || flag == "-V" ? &options.version
                                                         : nullptr;
    if (target == nullptr) {
        return false;
    }
    *target = true;
    return true;
}

Result<void> take(Arguments& args, Options& options) {
    const std::string_view flag = args.flag();
    if (flag == "--run-dir") {
        return take_path(args, options.run_dir);
    }
    if (flag == "--socket") {
        return take_path(args, options.socket);
    }
    if (flag == "--root") {
        return take_path(args, options.root);
    }
    if (flag == "--budget") {
        return take_budget(args, options.budget);
    }
    if (flag == "--stage") {
        return take_stage(args, options.stage);
    }
    if (!take_switch(args, options)) {
        return fail(Errc::malformed, kOp, "unknown argument '" + printable(flag, 64) + "'");
    }
    return {};
}

} // namespace

Result<Options> parse_options(std::span<const char* const> args) {
    Options options;
    options.run_dir = oci::kDefaultRunDir;
    Arguments walk(args);
    while (walk.next()) {
        if (auto taken = take(walk, options); !taken) {
            return tl::unexpected(taken.error());
        }
    }
    if (options.socket.empty()) {
        options.socket = options.run_dir + "/" + std::string(oci::kSocketName);
    }
    if (options.root.back() != '/') {
        options.root += '/';
    }
    return options;
}

bool asks_strict(std::span<const char* const> args) {
    return std::any_of(args.begin(), args.end(),
                       [](const char* arg) { return std::string_view(arg) == "--strict"; });
}

std::string_view help_text() {
    return "usage: cgtide-hook [--strict] [--run-dir DIR] [--socket PATH] [--root DIR]\n"
           "                   [--budget MS] [--stage createRuntime|poststop]\n"
           "\n"
           "An OCI hook: reads a container's state on standard input and registers the container\n"
           "with cgtided (createRuntime) or marks it as stopped (poststop). A container without a\n"
           "cgtide.io annotation is left alone. Ends within 100 ms and with status 0: an error is\n"
           "one line on standard error and in the system's log.\n"
           "\n"
           "  --strict        an error is status 1 (usage: 2), which fails the container\n"
           "  --run-dir DIR   where registrations are left (default /run/cgtide)\n"
           "  --socket PATH   the engine's socket (default cgtide.sock in the run folder)\n"
           "  --root DIR      look for proc, sys and dev/log below DIR (default /)\n"
           "  --budget MS     end after this time (default 80)\n"
           "  --stage STAGE   what to do, whatever the state's status says\n"
           "  --help, --version\n"
           "\n"
           "example, in a bundle's config.json (cgtide hooks prints it):\n"
           "  \"hooks\": {\"createRuntime\": [{\"path\": \"/usr/libexec/cgtide/cgtide-hook\",\n"
           "      \"args\": [\"cgtide-hook\"], \"timeout\": 10}]}\n";
}

} // namespace cgtide::hook
