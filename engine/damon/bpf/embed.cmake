# Writes OUTPUT, a source that holds the bytes of INPUT: cmake -DINPUT=... -DOUTPUT=... -P embed.cmake
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes ${bytes})
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes ${bytes})
file(
    WRITE ${OUTPUT}
    "#include \"engine/damon/bpf_object.hpp\"\n\nnamespace cgtide::damon {\n\nnamespace {\n\n"
    "alignas(8) constexpr unsigned char kBytes[] = {\n${bytes}\n};\n\n} // namespace\n\n"
    "std::span<const unsigned char> bpf_object_bytes() {\n    return kBytes;\n}\n\n"
    "} // namespace cgtide::damon\n"
)
