#include "engine/wire/interface.hpp"

#include <array>

namespace cgtide::wire {

namespace {

constexpr std::string_view kEngineText =
    R"(# The engine that manages the memory of annotated containers.
#
# Names end in their unit: _bytes, _us (microseconds), _ms (milliseconds; a time is since the
# epoch), _bp (basis points: 10000 is all of it). What a sensor could not read is null, never 0.
interface io.cgtide.Engine

# What the hook leaves in the run folder. cgroup is the inode of the cgroup's directory, pid_start
# field 22 of /proc/PID/stat.
type Record (
  version: int,
  id: string,
  bundle: string,
  pid: int,
  pid_start: int,
  cgroup_path: string,
  cgroup: int,
  boot_id: string,
  annotations: [string]string
)

# What came of a decision. end: done, partial (the kernel gave less: normal), interrupted, gone,
# failed, dry-run. taken_bytes is the fall of memory.current.
type Outcome (
  asked_bytes: int,
  taken_bytes: int,
  wall_us: int,
  cpu_us: int,
  end: string,
  error: ?string
)

# A decision of an app: a reason code, its numbers, and the same in words. Equal decisions that
# moved nothing are one entry with a count; first_ms and last_ms are the first and the last of them.
type Entry (
  sequence: int,
  first_ms: int,
  last_ms: int,
  repeats: int,
  app: string,
  acted: bool,
  ask_bytes: int,
  reason: string,
  inputs: [string]float,
  text: string,
  outcome: ?Outcome
)

# An annotation that was refused, and the app that stays off because of it.
type Fault (
  key: string,
  value: string,
  message: string,
  app: ?string
)

# memory_pressure_bp is the share of the last period in which a task stalled on memory.
type Container (
  name: string,
  id: string,
  cgroup: int,
  path: string,
  apps: []string,
  ended: bool,
  dry_run: bool,
  usage_bytes: ?int,
  swap_bytes: ?int,
  memory_pressure_bp: ?float,
  taken_bytes: int,
  registered_ms: int,
  faults: int,
  last: ?Entry
)

# A registration that could not become a container.
type RefusedRecord (
  key: string,
  name: string,
  reason: string,
  message: string
)

type Profile (
  name: string,
  ratio: float,
  max_bp: float,
  period_us: int,
  cpu_bp: float
)

# The container's annotations as granted. Either keep_bytes or keep_bp is set.
type Policy (
  profile: Profile,
  pressure_bp: float,
  idle_us: int,
  keep_bytes: ?int,
  keep_bp: ?float,
  pages: string
)

# What the kernel counts. swap_limit_bytes is null where there is no limit; *_stall_us are totals
# since the cgroup was made, as are the counts of refaults and events.
type Counters (
  anon_bytes: ?int,
  file_bytes: ?int,
  kernel_bytes: ?int,
  shmem_bytes: ?int,
  swap_limit_bytes: ?int,
  min_bytes: int,
  low_bytes: int,
  memory_stall_us: ?int,
  io_stall_us: ?int,
  refaults_anon: ?int,
  refaults_file: ?int,
  major_faults: ?int,
  oom_kills: ?int,
  max_events: ?int,
  lived_us: int,
  frozen: bool,
  has_nested: bool
)

# What the stat app knows of the last period.
type Rates (
  refaults_per_second: float,
  memory_pressure_bp: float,
  io_pressure_bp: float
)

# Bytes that have been idle for at least age_us; of others no more than unsure_bytes may have been.
# null where the sensor has not watched for so long.
type ColdBytes (
  age_us: int,
  anon_bytes: ?int,
  file_bytes: ?int,
  unsure_bytes: ?int
)

# How long a container's memory has been idle. source: regions (address ranges) or generations (of
# page tables; anonymous memory alone). choice says why that one: configured, preferred (it tells
# more), only (the other does not work here), sees-more (of this container) or watches-longer (the
# other has just begun). The figures are age_ms old, no finer than resolution_us and prove nothing
# beyond watched_us. cpu_us is the CPU time of the last walk for generations; null for regions, whose
# workers look for many containers at once. Entry p of percentiles_us (0 to 100) is the idle time at
# which p % of seen_bytes without unsure_bytes are passed (of all where that is none); below 0, memory
# has been in use for so long. unsure_bytes were in use when their neighbours were, or in a file that
# others map, and may have been idle for longer than cold tells. working_set_bytes are those in use
# within the window, or not proven otherwise. charged_bytes, anonymous and file, are seen_bytes and
# unseen_bytes; what is unseen is never counted as idle. coverage_bp is null where nothing is charged.
# processes are watched, unwatched are not; both are 0 where the source knows no processes.
type IdleTimes (
  source: string,
  choice: string,
  age_ms: int,
  resolution_us: int,
  watched_us: int,
  cpu_us: ?int,
  percentiles_us: []int,
  cold: []ColdBytes,
  working_set_bytes: int,
  working_set_window_us: int,
  seen_bytes: int,
  unsure_bytes: int,
  unseen_bytes: int,
  charged_bytes: int,
  coverage_bp: ?float,
  processes: int,
  unwatched: int
)

# One container's figures: what the kernel counts, shares and rates of the last period, and how long
# its memory has been idle, in short; IdleTimes says what these are. unseen_bp is the share of what is
# charged that no sensor saw.
type Figures (
  name: string,
  id: string,
  ended: bool,
  usage_bytes: ?int,
  anon_bytes: ?int,
  file_bytes: ?int,
  kernel_bytes: ?int,
  shmem_bytes: ?int,
  swap_bytes: ?int,
  memory_pressure_bp: ?float,
  io_pressure_bp: ?float,
  refaults_per_second: ?float,
  source: ?string,
  idle_age_ms: ?int,
  median_idle_us: ?int,
  working_set_bytes: ?int,
  cold_10s_bytes: ?int,
  cold_1m_bytes: ?int,
  cold_10m_bytes: ?int,
  unseen_bytes: ?int,
  unseen_bp: ?float
)

# What was known of a container at a time in the past; sizes are whole KiB.
type Past (
  at_ms: int,
  usage_bytes: int,
  working_set_bytes: int,
  cold_10s_bytes: ?int,
  cold_1m_bytes: ?int,
  cold_10m_bytes: ?int,
  unseen_bytes: int,
  median_idle_us: int,
  memory_pressure_bp: float,
  refaults_per_second: float
)

# attached and detached are what root changed beyond the annotation. age tells whether idle time is
# proven by a sensor.
type Detail (
  container: Container,
  bundle: string,
  pid: int,
  policy: Policy,
  attached: []string,
  detached: []string,
  counters: ?Counters,
  rates: ?Rates,
  idle: ?IdleTimes,
  floor_bytes: int,
  period_us: int,
  age: string,
  faults: []Fault
)

# Something that this kernel has or lacks: the file that was probed, what was found, and what cgtide
# does without it.
type Capability (
  name: string,
  present: bool,
  required: bool,
  probed: string,
  detail: string,
  without: string
)

# Takes a container under management. Idempotent. Root only.
method Register(record: Record) -> (name: string)

# Says that the runtime deleted a container; its cgroup decides when it has ended. Root only.
method Unregister(id: string, bundle: string) -> ()

# Containers by name; all adds those that ended within the last hour.
method List(all: ?bool) -> (containers: []Container, refused: []RefusedRecord)

# One container. A name is a container's name, its id, its cgroup's inode or a unique prefix of name
# or id.
method Inspect(name: string) -> (detail: Detail)

# Decisions of one container, oldest first; last bounds their number. dropped counts those that the
# journal has let go.
method Explain(name: string, last: ?int) -> (
  container: Container,
  entries: []Entry,
  dropped: int
)

# How long one container's memory has been idle, as app stat knows it. Refused with reason
# no-idle-view where stat is not attached or no sensor has told yet; message says what to do.
# no_regions says why the sensor regions tells nothing; null where it does, or is not wanted.
method Idle(name: string) -> (container: Container, idle: IdleTimes, no_regions: ?string)

# The figures of all containers by name, or of one; all adds those that ended within the last hour.
method Stat(name: ?string, all: ?bool) -> (rows: []Figures)

# What was known of one container, oldest first: a point each ten seconds for ten minutes, then each
# minute for six hours, less where there are hundreds of containers. Empty where no sensor told.
method History(name: string) -> (container: Container, points: []Past)

# What Stat(all), or of one container Stat, Idle and Explain tell, at one time. last bounds the
# entries (5 where it is missing). Called with more it goes on, a reply each period_us (1 s to 1 h; 2 s
# where it is missing), until the caller leaves or the container ends, which is a refusal with reason
# gone. Without a name, container and idle are null; where idle is null of one, no_idle says why.
# no_regions as in Idle.
method Watch(name: ?string, last: ?int, period_us: ?int) -> (
  at_ms: int,
  rows: []Figures,
  container: ?Container,
  idle: ?IdleTimes,
  no_idle: ?string,
  no_regions: ?string,
  entries: []Entry
)

# Memory of a process that has been idle for the same time, between two addresses. idle_us below 0: in
# use for so long already. accesses: looks that found it in use in the last aggregation, of
# aggregation_us / sample_us.
type Region (
  start: int,
  end: int,
  present_bytes: int,
  idle_us: int,
  accesses: int,
  mapping: string
)

# One watched address space, named by key for as long as it is watched. at_us: end of its last
# aggregation, by CLOCK_MONOTONIC.
type Space (
  key: int,
  pid: int,
  at_us: int,
  regions: []Region
)

# Where a container's memory lies and how long it has been idle, as the sensor regions tells it:
# regions are cut at mappings, which have their names. Refused as Idle. Root only: addresses tell how
# processes are laid out.
method Regions(name: string) -> (
  container: Container,
  sample_us: int,
  aggregation_us: int,
  spaces: []Space
)

# The same once an aggregation, with regions cut to pages that are present, and without names of
# mappings. Called with more it goes on until the caller leaves or the container ends, which is a
# refusal. Root only.
method RecordRegions(name: string) -> (
  container: Container,
  sample_us: int,
  aggregation_us: int,
  spaces: []Space
)

# Adds or takes away an app of an annotated container until it ends. Root only.
method Attach(name: string, app: string) -> ()
method Detach(name: string, app: string) -> ()

# Gives DAMON back to the node as the engine found it, while the engine goes on: workers, their folders
# and the modules that were stopped. It stays so until the engine is restarted; generations tell idle
# times meanwhile, where they work. Refused with reason no-damon where the engine does not use DAMON,
# or not any more. done says what was done. Takes up to a minute. Root only.
method ReleaseDamon() -> (done: string)

# What was probed on this node.
method Capabilities() -> (capabilities: []Capability)

error NoSuchContainer (name: string)
error AmbiguousName (name: string, matches: []string)

# The engine will not do it. reason is a code: shared-cgroup, gone, malformed, denied, no-idle-view,
# no-damon, failed and others; message says why.
error Refused (reason: string, message: string)

# needs: root, or the group whose members may read.
error PermissionDenied (needs: string)
)";

constexpr std::string_view kServiceText = R"(# The interface that every Varlink service has.
interface org.varlink.service

method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)
error MethodNotFound (method: string)
error InvalidParameter (parameter: string)
)";

constexpr std::array kMethods{method::kRegister,      method::kUnregister,   method::kList,
                              method::kInspect,       method::kExplain,      method::kIdle,
                              method::kStat,          method::kHistory,      method::kRegions,
                              method::kRecordRegions, method::kWatch,        method::kAttach,
                              method::kDetach,        method::kReleaseDamon, method::kCapabilities};

} // namespace

std::string_view engine_interface() {
    return kEngineText;
}

std::string_view service_interface() {
    return kServiceText;
}

std::span<const std::string_view> engine_methods() {
    return kMethods;
}

} // namespace cgtide::wire
