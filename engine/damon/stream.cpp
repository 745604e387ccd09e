#include "engine/damon/stream.hpp"

#include "engine/damon/bpf/layout.h"
#include "engine/damon/bpf_object.hpp"
#include "engine/damon/btf.hpp"
#include "engine/damon/libbpf_log.hpp"
#include "engine/damon/watch_set.hpp"

#include <atomic>
#include <bit>
#include <cerrno>
#include <string>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

namespace cgtide::damon {

namespace {

constexpr std::string_view kOp = "region stream";

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};

using Types = std::unique_ptr<btf, Freed<btf__free>>;
using Object = std::unique_ptr<bpf_object, Freed<bpf_object__close>>;
using Link = std::unique_ptr<bpf_link, Freed<bpf_link__destroy>>;
using Rings = std::unique_ptr<ring_buffer, Freed<ring_buffer__free>>;

/// The programs' global data, mapped.
class Shared {
public:
    Shared() = default;
    explicit Shared(cgtide_shared* data) : data_(data) {}
    Shared(Shared&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    Shared& operator=(Shared&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~Shared() {
        if (data_ != nullptr) {
            ::munmap(data_, sizeof(cgtide_shared));
        }
    }

    cgtide_shared* operator->() const { return data_; }

private:
    cgtide_shared* data_ = nullptr;
};

/// What a program or libbpf refused, with libbpf's words.
tl::unexpected<Error> refused(int error, const std::string& what, const LibbpfLog& log) {
    const std::string words = log.text();
    std::string detail = words.empty() ? what : what + " (" + words + ")";
    if (error == EPERM) {
        return fail(Errc::denied, kOp, detail + "; it needs CAP_BPF and CAP_PERFMON");
    }
    return fail_errno(error, kOp, std::move(detail));
}

Result<AggregatedForm> kernel_form(const LibbpfLog& log) {
    const Types types(btf__load_vmlinux_btf());
    if (types == nullptr) {
        return fail(Errc::unsupported, kOp,
                    "the kernel's types (BTF) cannot be read (" + log.text() + ")");
    }
    return aggregated_form(*types);
}

Result<Object> load(AggregatedForm form, const StreamOptions& options, const LibbpfLog& log) {
    const auto bytes = bpf_object_bytes();
    bpf_object_open_opts how{};
    how.sz = sizeof(how);
    how.object_name = "cgtide";
    Object object(bpf_object__open_mem(bytes.data(), bytes.size(), &how));
    if (object == nullptr) {
        return refused(errno, "opening the programs", log);
    }
    const char* other =
        form == AggregatedForm::index_region_count ? "aggregated_of_target" : "aggregated";
    bpf_program__set_autoload(bpf_object__find_program_by_name(object.get(), other), false);
    const auto resize = [&object](const char* ring, std::uint32_t size) {
        bpf_map__set_max_entries(bpf_object__find_map_by_name(object.get(), ring), size);
    };
    resize("regions", options.region_bytes);
    resize("changes", options.change_bytes);
    if (const int status = bpf_object__load(object.get()); status != 0) {
        return refused(-status, "loading the programs", log);
    }
    return object;
}

/// Loads the programs with the form of the tracepoint that this kernel has. Today's is tried before
/// the kernel's types are read, for that takes longer than all else here; the verifier takes no
/// program whose arguments are others.
Result<Object> load_fitting(const StreamOptions& options, const LibbpfLog& log) {
    auto object = load(AggregatedForm::index_region_count, options, log);
    if (object || object.error().code == Errc::denied) {
        return object;
    }
    const auto form = kernel_form(log);
    if (!form) {
        return tl::unexpected<Error>(form.error());
    }
    return *form == AggregatedForm::index_region_count ? std::move(object)
                                                       : load(*form, options, log);
}

Result<Shared> map_shared(const bpf_object& object) {
    const bpf_map* map = bpf_object__find_map_by_name(&object, ".bss");
    if (map == nullptr || bpf_map__value_size(map) < sizeof(cgtide_shared)) {
        return fail(Errc::malformed, kOp, "the programs' data has another layout");
    }
    void* data = ::mmap(nullptr, sizeof(cgtide_shared), PROT_READ | PROT_WRITE, MAP_SHARED,
                        bpf_map__fd(map), 0);
    if (data == MAP_FAILED) {
        return fail_errno(errno, kOp, "mapping the programs' data");
    }
    return Shared(static_cast<cgtide_shared*>(data));
}

Result<std::vector<Link>> attach(const bpf_object& object, const LibbpfLog& log) {
    std::vector<Link> links;
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(&object, program)) != nullptr) {
        if (!bpf_program__autoload(program)) {
            continue;
        }
        Link link(bpf_program__attach(program));
        if (link == nullptr) {
            return refused(errno, std::string("attaching ") + bpf_program__name(program), log);
        }
        links.push_back(std::move(link));
    }
    return links;
}

TimePoint time_of(unsigned long long ns) {
    return TimePoint(Nanoseconds(static_cast<std::int64_t>(ns)));
}

bool is_ring_size(std::uint32_t bytes) {
    constexpr std::uint32_t kPage = 4096;
    return bytes >= kPage && std::has_single_bit(bytes);
}

std::uint64_t read_word(unsigned long long& word) {
    return std::atomic_ref<unsigned long long>(word).load();
}

} // namespace

struct Stream::Impl {
    // In this order, so that the programs are detached before what they use goes.
    Object object;
    Shared shared;
    Rings rings;
    std::vector<Link> links;
    WatchSet kdamonds;
    WatchSet cgroups;
    std::vector<Event>* regions = nullptr; ///< where a drain puts them
    std::vector<Change>* changes = nullptr;

    static int on_region(void* self, void* data, std::size_t size);
    static int on_change(void* self, void* data, std::size_t size);
    Result<void> make_rings();
};

int Stream::Impl::on_region(void* self, void* data, std::size_t /*size*/) {
    const auto& told = *static_cast<const cgtide_region_event*>(data);
    static_cast<Impl*>(self)->regions->push_back(
        {.at = time_of(told.at_ns),
         .kdamond = static_cast<int>(told.kdamond),
         .sequence = told.sequence,
         .index = told.index,
         .nr_regions = told.nr_regions,
         .region = {.range = {.start = told.start, .end = told.end},
                    .accesses = told.accesses,
                    .age = told.age}});
    return 0;
}

int Stream::Impl::on_change(void* self, void* data, std::size_t /*size*/) {
    const auto& told = *static_cast<const cgtide_change_event*>(data);
    static_cast<Impl*>(self)->changes->push_back({.at = time_of(told.at_ns),
                                                  .cgroup = CgroupId{told.cgroup},
                                                  .pid = static_cast<int>(told.pid),
                                                  .kind = static_cast<ChangeKind>(told.kind)});
    return 0;
}

Result<void> Stream::Impl::make_rings() {
    const auto descriptor = [this](const char* ring) {
        return bpf_object__find_map_fd_by_name(object.get(), ring);
    };
    rings.reset(ring_buffer__new(descriptor("regions"), on_region, this, nullptr));
    if (rings == nullptr) {
        return fail_errno(errno, kOp, "mapping the ring of regions");
    }
    if (const int status = ring_buffer__add(rings.get(), descriptor("changes"), on_change, this);
        status != 0) {
        return fail_errno(-status, kOp, "mapping the ring of changes");
    }
    return {};
}

Result<Stream> Stream::open(const StreamOptions& options) {
    if (!is_ring_size(options.region_bytes) || !is_ring_size(options.change_bytes)) {
        return fail(Errc::out_of_range, kOp,
                    "a ring's size is a power of two and at least 4096 bytes");
    }
    const LibbpfLog log;
    auto impl = std::make_unique<Impl>();
    auto object = load_fitting(options, log);
    if (!object) {
        return tl::unexpected<Error>(object.error());
    }
    impl->object = std::move(*object);
    auto shared = map_shared(*impl->object);
    if (!shared) {
        return tl::unexpected<Error>(shared.error());
    }
    impl->shared = std::move(*shared);
    impl->shared->wake_bytes = options.region_bytes / 4;
    impl->kdamonds = WatchSet(impl->shared->kdamonds);
    impl->cgroups = WatchSet(impl->shared->cgroups);
    if (auto made = impl->make_rings(); !made) {
        return tl::unexpected<Error>(made.error());
    }
    auto links = attach(*impl->object, log);
    if (!links) {
        return tl::unexpected<Error>(links.error());
    }
    impl->links = std::move(*links);
    return Stream(std::move(impl));
}

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

int Stream::fd() const {
    return ring_buffer__epoll_fd(impl_->rings.get());
}

std::size_t Stream::drain(std::vector<Event>& regions, std::vector<Change>& changes) {
    impl_->regions = &regions;
    impl_->changes = &changes;
    // It fails where a callback does, and these do not.
    const int count = ring_buffer__consume(impl_->rings.get());
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t Stream::watch(std::span<const int> kdamonds) {
    std::vector<std::uint64_t> keys;
    keys.reserve(kdamonds.size());
    for (const int pid : kdamonds) {
        keys.push_back(pid > 0 ? static_cast<std::uint64_t>(pid) : 0);
    }
    return impl_->kdamonds.assign(keys);
}

std::size_t Stream::watch(std::span<const CgroupId> cgroups) {
    std::vector<std::uint64_t> keys;
    keys.reserve(cgroups.size());
    for (const CgroupId id : cgroups) {
        keys.push_back(id.value);
    }
    return impl_->cgroups.assign(keys);
}

std::uint64_t Stream::lost() const {
    return read_word(impl_->shared->lost_regions);
}

std::uint64_t Stream::lost_changes() const {
    return read_word(impl_->shared->lost_changes);
}

} // namespace cgtide::damon
