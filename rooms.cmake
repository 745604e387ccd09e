# One static library a room (folder). What a room may include is in docs/design/layers.txt, and a test holds every #include against it.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CGTIDE_CCACHE ccache)
if(CGTIDE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CGTIDE_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CGTIDE_CCACHE})
endif()

add_library(cgtide_flags INTERFACE)
target_compile_options(
    cgtide_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
)
target_include_directories(cgtide_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(cgtide_flags INTERFACE CGTIDE_VERSION="${PROJECT_VERSION}")
if(CGTIDE_SANITIZE)
    target_compile_options(
        cgtide_flags INTERFACE -fsanitize=${CGTIDE_SANITIZE} -fno-omit-frame-pointer
                               -fno-sanitize-recover=all
    )
    target_link_options(cgtide_flags INTERFACE -fsanitize=${CGTIDE_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # Coroutine frames are called through pointers of another type.
        target_compile_options(cgtide_flags INTERFACE -fno-sanitize=function)
    endif()
    if(CGTIDE_SANITIZE MATCHES "thread")
        target_compile_definitions(cgtide_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()
if(CGTIDE_FUZZ)
    target_compile_options(cgtide_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CGTIDE_COVERAGE)
    target_compile_options(cgtide_flags INTERFACE --coverage)
    target_link_options(cgtide_flags INTERFACE --coverage)
endif()

# cgtide_room(NAME [NEEDS room...] [LINKS target...]): the library cgtide_NAME of this folder's sources. NEEDS are neighbouring rooms,
# LINKS third-party libraries, which stay out of the room's headers.
function(cgtide_room name)
    cmake_parse_arguments(ROOM "" "" "NEEDS;LINKS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS *.cpp)
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
    add_library(cgtide_${name} STATIC ${sources})
    target_link_libraries(cgtide_${name} PUBLIC cgtide_flags)
    foreach(need ${ROOM_NEEDS})
        target_link_libraries(cgtide_${name} PUBLIC cgtide_${need})
    endforeach()
    target_link_libraries(cgtide_${name} PRIVATE ${ROOM_LINKS})
    set_property(GLOBAL APPEND PROPERTY CGTIDE_ROOMS ${name})
    set_property(GLOBAL PROPERTY CGTIDE_ROOM_DIR_${name} ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
