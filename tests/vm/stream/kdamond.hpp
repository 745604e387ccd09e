#pragma once

#include "cgroup/base/dir.hpp"
#include "engine/damon/types.hpp"

#include <string>
#include <string_view>

namespace cgtide::test {

/// The only kdamond of a guest, made by hand: it watches this process as target 0 and another one
/// as target 1, by ranges, 20 ms and 400 ms. Ends with this.
class Kdamond {
public:
    Kdamond(int process, damon::Range range);
    Kdamond(const Kdamond&) = delete;
    Kdamond& operator=(const Kdamond&) = delete;
    ~Kdamond();

    int pid() const;

private:
    void write(const std::string& file, std::string_view text) const;
    void set_target(int index, int process, damon::Range range) const;

    Dir dir_;
};

} // namespace cgtide::test
