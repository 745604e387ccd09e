#include "engine/wire/frame.hpp"
#include "engine/wire/message.hpp"
#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace cgtide::fuzz {
namespace {

constexpr std::size_t kLimit = 1024;

struct Stream {
    std::vector<std::string> frames;
    bool refused = false;

    bool operator==(const Stream&) const = default;
};

/// All frames of a text that comes in pieces of `step` bytes.
Stream read_in_steps(std::string_view text, std::size_t step) {
    wire::FrameReader reader(kLimit);
    Stream stream;
    while (!text.empty() && !stream.refused) {
        reader.feed(text.substr(0, step));
        text.remove_prefix(std::min(step, text.size()));
        for (;;) {
            auto frame = reader.next();
            stream.refused = !frame.has_value();
            if (!frame || !*frame) {
                break;
            }
            check((*frame)->size() <= kLimit && (*frame)->find('\0') == std::string::npos);
            stream.frames.push_back(std::move(**frame));
        }
    }
    return stream;
}

std::string without_nul(std::string message) {
    check(message.find('\0') == message.size() - 1);
    message.pop_back();
    return message;
}

/// What was decoded, encoded again, decodes to the same.
void round_trips(std::string_view frame) {
    if (const auto call = wire::decode_call(frame)) {
        const auto again = wire::decode_call(without_nul(wire::encode_call(*call)));
        check(again && *again == *call);
    }
    if (const auto reply = wire::decode_reply(frame)) {
        const auto again = wire::decode_reply(without_nul(wire::encode_reply(*reply)));
        check(again && *again == *reply);
    }
}

} // namespace
} // namespace cgtide::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide::fuzz;
    const std::string_view text = as_text(data, size);
    const Stream whole = read_in_steps(text, std::max<std::size_t>(size, 1));
    check(whole == read_in_steps(text, 1));
    check(whole == read_in_steps(text, 7));
    for (const std::string& frame : whole.frames) {
        round_trips(frame);
    }
    round_trips(text);
    return 0;
}
