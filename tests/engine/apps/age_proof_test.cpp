#include "engine/apps/age_proof.hpp"
#include "tests/engine/apps/scene.hpp"

#include <gmock/gmock.h>

namespace cgtide::apps {
namespace {

using test::Scene;

constexpr Microseconds kTen{10'000'000};

TEST(AgeProof, IsUnknownWithoutASensor) {
    const Scene scene;
    const AgeProof proof = prove_age(scene.now, kTen);
    EXPECT_FALSE(proof.known);
    EXPECT_EQ(proof.unproven_anon, mebibytes(96));
    EXPECT_EQ(proof.unproven_file, mebibytes(32));
}

TEST(AgeProof, IsUnknownUntilTheSensorHasWatchedForAsLong) {
    Scene scene;
    scene.see({{Microseconds(20'000'000), mebibytes(96), mebibytes(32)}}, kTen - Microseconds(1));
    EXPECT_FALSE(prove_age(scene.now, kTen).known);
    EXPECT_EQ(prove_age(scene.now, kTen).cold_anon, Bytes{});
    scene.see({{Microseconds(20'000'000), mebibytes(96), mebibytes(32)}}, kTen);
    EXPECT_TRUE(prove_age(scene.now, kTen).known);
}

TEST(AgeProof, IsUnknownOnceTheViewIsOld) {
    Scene scene;
    scene.see({{Microseconds(20'000'000), mebibytes(96), mebibytes(32)}});
    scene.now.at += kStaleView;
    EXPECT_TRUE(prove_age(scene.now, kTen).known);
    scene.now.at += Microseconds(1);
    EXPECT_FALSE(prove_age(scene.now, kTen).known);
}

TEST(AgeProof, TellsColdYoungAndUnprovenApart) {
    Scene scene;
    scene.see({{Microseconds(1'000'000), mebibytes(40), mebibytes(8), mebibytes(12)},
               {kTen, mebibytes(30), mebibytes(10)}});
    const AgeProof proof = prove_age(scene.now, kTen);
    EXPECT_EQ(proof.cold_anon, mebibytes(30));
    EXPECT_EQ(proof.cold_file, mebibytes(10));
    // 26 and 14 MiB were not seen; a quarter of the young ones may be older.
    EXPECT_EQ(proof.unproven_anon, mebibytes(26 + 10));
    EXPECT_EQ(proof.unproven_file, mebibytes(14 + 2));
}

TEST(AgeProof, DoesNotCountFilesThatMayBeOthersAsCold) {
    Scene scene;
    scene.see({{kTen, mebibytes(30), mebibytes(10), mebibytes(20)}});
    const AgeProof proof = prove_age(scene.now, kTen);
    EXPECT_EQ(proof.cold_anon, mebibytes(30));
    EXPECT_EQ(proof.cold_file, mebibytes(5));
}

TEST(AgeProof, TellsWhichFileBytesOthersMap) {
    Scene scene;
    scene.now.stat->file_mapped = mebibytes(20);
    scene.see({{kTen, mebibytes(30), mebibytes(10)}});
    EXPECT_EQ(prove_age(scene.now, kTen).foreign_mapped, Bytes{});
    scene.view->mapped_file = mebibytes(14);
    EXPECT_EQ(prove_age(scene.now, kTen).foreign_mapped, mebibytes(6));
}

} // namespace
} // namespace cgtide::apps
