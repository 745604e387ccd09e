#include "engine/wire/frame.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cgtide::wire {
namespace {

using std::string_literals::operator""s;

std::vector<std::string> drain(FrameReader& reader) {
    std::vector<std::string> frames;
    for (;;) {
        auto frame = reader.next();
        if (!frame || !*frame) {
            return frames;
        }
        frames.push_back(**frame);
    }
}

TEST(FrameReader, CutsAtNuls) {
    FrameReader reader(16);
    reader.feed("one\0two\0\0thr"s);
    EXPECT_EQ(drain(reader), (std::vector<std::string>{"one", "two", ""}));
    EXPECT_TRUE(reader.pending());
    reader.feed("ee\0"s);
    EXPECT_EQ(drain(reader), std::vector<std::string>{"three"});
    EXPECT_FALSE(reader.pending());
}

TEST(FrameReader, GivesTheSameFramesByteByByte) {
    FrameReader reader(16);
    std::vector<std::string> frames;
    for (const char byte : "{}\0{\"a\":1}\0"s) {
        reader.feed({&byte, 1});
        for (auto& frame : drain(reader)) {
            frames.push_back(frame);
        }
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"{}", "{\"a\":1}"}));
}

TEST(FrameReader, TakesAFrameOfExactlyTheLimit) {
    FrameReader reader(4);
    reader.feed("1234\0"s);
    EXPECT_EQ(drain(reader), std::vector<std::string>{"1234"});
}

TEST(FrameReader, RejectsALongerFrameForGood) {
    FrameReader reader(4);
    reader.feed("ok\0"s + "12345\0ok\0"s);
    EXPECT_EQ(**reader.next(), "ok");
    for (int i = 0; i < 2; ++i) {
        const auto next = reader.next();
        ASSERT_FALSE(next);
        EXPECT_EQ(next.error().code, Errc::out_of_range);
        reader.feed("\0ok\0"s);
    }
}

TEST(FrameReader, RejectsALongerFrameBeforeItEnds) {
    FrameReader reader(4);
    reader.feed("1234");
    EXPECT_EQ(*reader.next(), std::nullopt);
    reader.feed("5");
    EXPECT_FALSE(reader.next());
}

} // namespace
} // namespace cgtide::wire
