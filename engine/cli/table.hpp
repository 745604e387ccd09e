#pragma once

#include <string>
#include <vector>

namespace cgtide::cli {

/// Columns of text, aligned to the left, or to the right where their title begins with `>`. The
/// last column is not padded. Cells must be printable; one UTF-8 character counts as one place.
class Table {
public:
    explicit Table(std::vector<std::string> titles);

    /// Cells beyond the titles are dropped, missing ones are empty.
    void row(std::vector<std::string> cells);

    /// Title and rows, each with a newline.
    std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_; ///< the titles first
    std::vector<bool> right_;
};

} // namespace cgtide::cli
