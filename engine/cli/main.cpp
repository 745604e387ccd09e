#include "engine/cli/commands.hpp"
#include "engine/cli/options.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string_view>

#include <unistd.h>

namespace {

using namespace cgtide;

bool print(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
}

cli::Surroundings surroundings() {
    std::error_code ignored;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const char* path = std::getenv("PATH");
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
            self.parent_path().string(), path == nullptr ? "" : path, ::isatty(STDOUT_FILENO) == 1,
            print};
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto parsed = cli::parse_options(argc, argv);
        const auto* options = std::get_if<cli::Options>(&parsed);
        const cli::Output output =
            options != nullptr ? cli::run(*options, surroundings()) : std::get<cli::Output>(parsed);
        std::fputs(output.err.c_str(), stderr);
        std::fputs(output.out.c_str(), stdout);
        return std::fflush(stdout) == 0 ? output.status : cli::status::kFailed;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cgtide: %s\n", error.what());
        return cli::status::kFailed;
    }
}
