#include "oci/record.hpp"

#include "tests/fuzz/check.hpp"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cgtide;
    const auto record = oci::decode_record(fuzz::as_text(data, size));
    if (!record) {
        fuzz::check(record.error().message().find('\n') == std::string::npos);
        return 0;
    }
    const auto again = oci::decode_record(oci::encode_record(*record));
    fuzz::check(again && *again == *record);
    fuzz::check(oci::is_record_key(oci::record_key(record->bundle, record->id)));
    return 0;
}
