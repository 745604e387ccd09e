#include "tests/support/temp_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace cgtide::test {

namespace fs = std::filesystem;

TempDir::TempDir() : path_((fs::temp_directory_path() / "cgtide-test-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
        throw std::runtime_error("mkdtemp " + path_);
    }
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

Dir TempDir::dir(const std::string& below) const {
    auto opened = Dir::open(below.empty() ? path_ : path_ + "/" + below);
    if (!opened) {
        throw std::runtime_error(opened.error().message());
    }
    return std::move(*opened);
}

void TempDir::write(const std::string& name, std::string_view text) const {
    const fs::path file = fs::path(path_) / name;
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) {
        throw std::runtime_error("write " + file.string());
    }
}

std::string TempDir::make(const std::string& name) const {
    const fs::path folder = fs::path(path_) / name;
    fs::create_directories(folder);
    return folder.string();
}

std::string TempDir::read(const std::string& name) const {
    std::ifstream in(fs::path(path_) / name, std::ios::binary);
    if (!in) {
        throw std::runtime_error("read " + name);
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace cgtide::test
