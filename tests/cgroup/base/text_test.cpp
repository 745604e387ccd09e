#include "cgroup/base/text.hpp"

#include <array>

#include <gmock/gmock.h>

namespace cgtide {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(Split, KeepsEmptyParts) {
    EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
    EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(NextLine, TakesLinesWithAndWithoutALastNewline) {
    std::string_view text = "one\n\ntwo";
    EXPECT_THAT(next_line(text), Optional(std::string_view("one")));
    EXPECT_THAT(next_line(text), Optional(std::string_view("")));
    EXPECT_THAT(next_line(text), Optional(std::string_view("two")));
    EXPECT_EQ(next_line(text), std::nullopt);
}

TEST(Trim, TakesSpacesAndTabsOffBothEnds) {
    EXPECT_EQ(trim(" \t a b\t "), "a b");
    EXPECT_EQ(trim(" \t"), "");
    EXPECT_EQ(trim("\na\n"), "\na\n");
}

TEST(ToU64, TakesWholeNumbers) {
    EXPECT_THAT(to_u64("0"), Optional(0U));
    EXPECT_THAT(to_u64("18446744073709551615"), Optional(UINT64_MAX));
    for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "18446744073709551616"}) {
        EXPECT_EQ(to_u64(text), std::nullopt) << text;
    }
}

TEST(ToFraction, TakesDecimals) {
    EXPECT_THAT(to_fraction("0.10"), Optional(::testing::DoubleNear(0.1, 1e-12)));
    EXPECT_THAT(to_fraction("12"), Optional(::testing::DoubleNear(12.0, 1e-12)));
    for (const char* text : {"", ".", ".5", "5.", "1.2.3", "-1", "1e5", "inf", "nan", " 1"}) {
        EXPECT_EQ(to_fraction(text), std::nullopt) << text;
    }
}

TEST(ToFraction, RejectsWhatNoDoubleHolds) {
    EXPECT_EQ(to_fraction(std::string(400, '9')), std::nullopt);
}

TEST(Printable, KeepsPlainTextAndUtf8) {
    EXPECT_EQ(printable("web-1 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
              "web-1 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Printable, EscapesWhatMovesATerminal) {
    EXPECT_EQ(printable("a\x1b[2Jb\n\t\x7f"), "a\\x1b[2Jb\\x0a\\x09\\x7f");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(printable("back\\slash"), "back\\\\slash");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "\\xc2\\x9b2J");
}

TEST(Printable, EscapesWhatIsNoUtf8) {
    EXPECT_EQ(printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");          // never, overlong
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");          // surrogate
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // beyond U+10FFFF
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                   // cut short
}

TEST(Printable, CutsWhatIsTooLongAtACharacter) {
    EXPECT_EQ(printable("abcdef", 4), "abcd...");
    EXPECT_EQ(printable("abcd", 4), "abcd");
    EXPECT_EQ(printable("abc\xc3\xa9", 4), "abc...");
    EXPECT_EQ(printable("abc\n", 4), "abc...");
}

TEST(Listed, HasCommasBetween) {
    EXPECT_EQ(listed({}), "");
    EXPECT_EQ(listed(std::vector<std::string>{"vaddr"}), "vaddr");
    EXPECT_EQ(listed(std::vector<std::string>{"vaddr", "fvaddr", ""}), "vaddr, fvaddr, ");
}

TEST(Nearest, FindsASlip) {
    constexpr std::array<std::string_view, 3> kWords{"reclaim", "stat", "tier"};
    EXPECT_THAT(nearest("relcaim", kWords), Optional(std::string_view("reclaim")));
    EXPECT_THAT(nearest("stats", kWords), Optional(std::string_view("stat")));
    EXPECT_EQ(nearest("completely-else", kWords), std::nullopt);
    EXPECT_EQ(nearest("", kWords), std::nullopt);
    EXPECT_EQ(nearest(std::string(254, 'a'), kWords), std::nullopt);
}

} // namespace
} // namespace cgtide
