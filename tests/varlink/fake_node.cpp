// Makes a fake kernel tree and a run folder with one registered container, runs a program on them
// (fake_node PROGRAM ARG...: {root} and {run} in its arguments are their paths), and removes both
// when it has ended.

#include "oci/record.hpp"
#include "tests/support/fake_tree.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

std::string replaced(std::string text, const std::string& word, const std::string& by) {
    const std::size_t at = text.find(word);
    return at == std::string::npos ? text : text.replace(at, word.size(), by);
}

} // namespace

int main(int argc, char** argv) {
    constexpr int kPid = 4242;
    cgtide::test::FakeTree tree;
    const cgtide::test::TempDir run;
    cgtide::oci::Record record;
    record.id = "a1";
    record.bundle = "/b/a1";
    record.pid = kPid;
    record.cgroup_path = "/web/a1";
    record.cgroup = tree.add_group(record.cgroup_path);
    tree.add_process(kPid, record.cgroup_path);
    record.boot_id = tree.dir().read("proc/sys/kernel/random/boot_id");
    record.boot_id.erase(record.boot_id.find_last_not_of('\n') + 1);
    record.annotations = {{"cgtide.io/apps", "stat,reclaim"}, {"cgtide.io/name", "web"}};
    run.write("containers/" + cgtide::oci::record_key(record.bundle, record.id) + ".json",
              cgtide::oci::encode_record(record));

    std::vector<std::string> arguments;
    for (int i = 1; i < argc; ++i) {
        arguments.push_back(
            replaced(replaced(argv[i], "{root}", tree.path()), "{run}", run.path()));
    }
    std::vector<char*> pointers;
    for (std::string& argument : arguments) {
        pointers.push_back(argument.data());
    }
    pointers.push_back(nullptr);
    pid_t child = 0;
    if (argc < 2 ||
        ::posix_spawnp(&child, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) {
        std::fprintf(stderr, "usage: fake_node PROGRAM ARG...\n");
        return 2;
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
