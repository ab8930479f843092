// A driver without a card: what the engine asks of libcuda.so, done by a processor, so that all of the engine's side
// (contexts, memory, queues, marks, launches, faults) runs where there is no card. Kernels run in the emulator, which
// compiler.cpp puts around them.
//
// A card works through its queues when it likes. So may this: what is put on a queue waits there until somebody waits
// for it, and STAND_IN_ORDER says which of the legal orders is taken. A copy that nobody waited for, or memory that is
// written while it is still read, so shows as a wrong picture. As on a card, pageable memory of the host is read when
// the call is made, and pinned memory when its turn comes.
//
// By environment:
//   STAND_IN_ORDER    late (each queue as late as can be), or early (all but the first as early as can be) [late]
//   STAND_IN_MEMORY   MiB of the card [8192]
//   STAND_IN_CARD     compute capability, as 89 [89]
//   STAND_IN_WRONG    a kernel that computes nothing, and says that all is well
//   STAND_IN_FAULT    the launch, from 0, at which the card meets a fault and is lost to this process
//   STAND_IN_DEATH    the launch, from 0, at which the driver ends the process
//   STAND_IN_ONCE     a file that is made when either comes: where it is there, none does
//
// build.sh says how it is built. It is no driver for anybody but the tests.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using Status = int;
using Address = unsigned long long;
constexpr Status ok = 0, invalid = 1, out_of_memory = 2, no_such_device = 101, not_found = 500, not_ready = 600,
                 illegal_address = 700, launch_failed = 719;
constexpr size_t alignment = 256;
// What a kernel may take of shared memory before more was asked for.
constexpr unsigned plain_shared = 48 << 10;

std::recursive_mutex one_at_a_time;
using Lock = std::lock_guard<std::recursive_mutex>;

long number(const char* name, long otherwise) {
    const char* text = getenv(name);
    return text ? atol(text) : otherwise;
}
const char* word(const char* name) {
    const char* text = getenv(name);
    return text ? text : "";
}

// A fault stays: whatever is called after it gives it again, as on a card.
Status fault = ok;
long launches = 0;

// Whether what is asked for at a launch happens now.
bool is_due(const char* name, long launch) {
    if (launch != number(name, -1)) return false;
    const char* once = word("STAND_IN_ONCE");
    return !*once || open(once, O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0;
}

struct Stream {
    std::deque<std::function<Status()>> waiting;
    unsigned long issued = 0, done = 0;
    bool runs_early = false;
};

// Works through a queue until so much of it is done.
Status drain(Stream& stream, unsigned long until) {
    while (fault == ok && stream.done < until && !stream.waiting.empty()) {
        auto next = std::move(stream.waiting.front());
        stream.waiting.pop_front();
        // Counted first: what it waits for may come back here.
        ++stream.done;
        Status status = next();
        if (status != ok) fault = status;
    }
    return fault;
}

// Streams stay until the process ends; there are a handful. The first is the one that calls without a stream use.
std::vector<std::unique_ptr<Stream>> streams;
Stream& unnamed() {
    if (streams.empty()) streams.push_back(std::make_unique<Stream>());
    return *streams[0];
}
Stream& named(void* stream) { return stream ? *static_cast<Stream*>(stream) : unnamed(); }

Status put(Stream& stream, std::function<Status()> work) {
    if (fault != ok) return fault;
    stream.waiting.push_back(std::move(work));
    ++stream.issued;
    return stream.runs_early ? drain(stream, stream.issued) : ok;
}

Status drain_all() {
    for (auto& stream : streams) drain(*stream, stream->issued);
    return fault;
}

struct Mark { double milliseconds = 0; bool is_passed = false; };
struct Event { Stream* stream = nullptr; unsigned long at = 0; std::shared_ptr<Mark> mark; };

double now() {
    auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(since).count();
}

// By where they begin: bytes.
std::map<Address, size_t> on_card, pinned;
size_t taken = 0;
size_t memory() { return static_cast<size_t>(number("STAND_IN_MEMORY", 8192)) << 20; }

// Whether so many bytes lie within one allocation.
bool lies_in(const std::map<Address, size_t>& all, Address at, size_t bytes) {
    auto after = all.upper_bound(at);
    if (after == all.begin()) return false;
    auto found = std::prev(after);
    return at + bytes <= found->first + found->second;
}

Status copy(Address to, const void* from, size_t bytes) {
    memcpy(reinterpret_cast<void*>(to), from, bytes);
    return ok;
}

using Launch = const char* (*)(const char*, unsigned, unsigned, unsigned, unsigned, unsigned, const void*);
using Size = size_t (*)(const char*);
struct Module { Launch launch; Size size; };
struct Function { Module* module; std::string name; unsigned shared = plain_shared; };

template <class T> Status give(void* to, T value) {
    memcpy(to, &value, sizeof value);
    return ok;
}

}  // namespace

EXPORT Status cuInit(unsigned) { return ok; }
EXPORT Status cuDriverGetVersion(int* version) { return give(version, 12080); }
EXPORT Status cuDeviceGetCount(int* count) { return give(count, 1); }
EXPORT Status cuDeviceGet(int* device, int ordinal) { return ordinal ? no_such_device : give(device, 0); }
EXPORT Status cuDeviceTotalMem_v2(size_t* bytes, int) { return give(bytes, memory()); }
EXPORT Status cuDeviceGetName(char* name, int length, int) {
    snprintf(name, length, "Stand-in %ld", number("STAND_IN_CARD", 89));
    return ok;
}
EXPORT Status cuDeviceGetUuid_v2(void* uuid, int) {
    memset(uuid, 7, 16);
    return ok;
}
EXPORT Status cuDeviceGetUuid(void* uuid, int device) { return cuDeviceGetUuid_v2(uuid, device); }

// By the numbers of cuda.h.
EXPORT Status cuDeviceGetAttribute(int* value, int attribute, int) {
    const int capability = static_cast<int>(number("STAND_IN_CARD", 89));
    switch (attribute) {
        case 75: return give(value, capability / 10);
        case 76: return give(value, capability % 10);
        case 81: return give(value, 100 << 10);  // shared memory of a multiprocessor
        case 97: return give(value, 99 << 10);   // of a block that asks for it
        default: return give(value, 0);
    }
}

EXPORT Status cuDevicePrimaryCtxRetain(void** context, int) {
    static int only;
    return give(context, static_cast<void*>(&only));
}
EXPORT Status cuDevicePrimaryCtxRelease_v2(int) { return ok; }
EXPORT Status cuCtxSetCurrent(void*) { return fault; }
EXPORT Status cuCtxGetCurrent(void** context) { return cuDevicePrimaryCtxRetain(context, 0); }
EXPORT Status cuCtxSynchronize() {
    Lock lock(one_at_a_time);
    return drain_all();
}

EXPORT Status cuMemGetInfo_v2(size_t* free, size_t* total) {
    Lock lock(one_at_a_time);
    give(total, memory());
    return give(free, memory() - taken);
}
EXPORT Status cuMemAlloc_v2(Address* at, size_t bytes) {
    Lock lock(one_at_a_time);
    if (fault != ok) return fault;
    if (bytes == 0) return invalid;
    if (bytes > memory() - taken) return out_of_memory;
    const size_t whole = (bytes + alignment - 1) / alignment * alignment;
    void* found = aligned_alloc(alignment, whole);
    if (!found) return out_of_memory;
    memset(found, 0xff, whole);
    on_card[reinterpret_cast<Address>(found)] = bytes;
    taken += bytes;
    return give(at, found);
}
EXPORT Status cuMemFree_v2(Address at) {
    Lock lock(one_at_a_time);
    auto found = on_card.find(at);
    if (found == on_card.end()) return invalid;
    // It waits for what is queued.
    Status status = drain_all();
    taken -= found->second;
    on_card.erase(found);
    free(reinterpret_cast<void*>(at));
    return status;
}
EXPORT Status cuMemHostAlloc(void** at, size_t bytes, unsigned) {
    Lock lock(one_at_a_time);
    if (fault != ok) return fault;
    void* found = malloc(bytes);
    if (!found) return out_of_memory;
    pinned[reinterpret_cast<Address>(found)] = bytes;
    return give(at, found);
}
EXPORT Status cuMemFreeHost(void* at) {
    Lock lock(one_at_a_time);
    if (!pinned.erase(reinterpret_cast<Address>(at))) return invalid;
    // A card that still copies from it reads what is not there any more.
    free(at);
    return fault;
}

EXPORT Status cuMemsetD8_v2(Address at, unsigned char value, size_t bytes) {
    Lock lock(one_at_a_time);
    if (!lies_in(on_card, at, bytes)) return illegal_address;
    return put(unnamed(), [=] {
        memset(reinterpret_cast<void*>(at), value, bytes);
        return ok;
    });
}
EXPORT Status cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* stream) {
    Lock lock(one_at_a_time);
    if (!lies_in(on_card, to, bytes)) return illegal_address;
    if (lies_in(pinned, reinterpret_cast<Address>(from), bytes))
        return put(named(stream), [=] { return copy(to, from, bytes); });
    auto begin = static_cast<const unsigned char*>(from);
    auto staged = std::make_shared<std::vector<unsigned char>>(begin, begin + bytes);
    return put(named(stream), [=] { return copy(to, staged->data(), bytes); });
}
EXPORT Status cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void* stream) {
    Lock lock(one_at_a_time);
    if (!lies_in(on_card, to, bytes) || !lies_in(on_card, from, bytes)) return illegal_address;
    return put(named(stream), [=] { return copy(to, reinterpret_cast<void*>(from), bytes); });
}
EXPORT Status cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* stream) {
    Lock lock(one_at_a_time);
    if (!lies_in(on_card, from, bytes)) return illegal_address;
    return put(named(stream), [=] { return copy(reinterpret_cast<Address>(to), reinterpret_cast<void*>(from), bytes); });
}

EXPORT Status cuStreamCreate(void** stream, unsigned) {
    Lock lock(one_at_a_time);
    unnamed();
    streams.push_back(std::make_unique<Stream>());
    // The one without a name and the one that computes come first.
    streams.back()->runs_early = !strcmp(word("STAND_IN_ORDER"), "early") && streams.size() > 2;
    return give(stream, streams.back().get());
}
EXPORT Status cuStreamDestroy_v2(void* stream) {
    Lock lock(one_at_a_time);
    return drain(named(stream), named(stream).issued);
}
EXPORT Status cuStreamSynchronize(void* stream) {
    Lock lock(one_at_a_time);
    return drain(named(stream), named(stream).issued);
}
EXPORT Status cuStreamWaitEvent(void* stream, void* event, unsigned) {
    Lock lock(one_at_a_time);
    Event mark = *static_cast<Event*>(event);
    if (!mark.stream) return ok;
    return put(named(stream), [mark] { return drain(*mark.stream, mark.at); });
}

EXPORT Status cuEventCreate(void** event, unsigned) { return give(event, new Event); }
EXPORT Status cuEventDestroy_v2(void* event) {
    delete static_cast<Event*>(event);
    return ok;
}
EXPORT Status cuEventRecord(void* event, void* stream) {
    Lock lock(one_at_a_time);
    auto mark = std::make_shared<Mark>();
    Stream& on = named(stream);
    *static_cast<Event*>(event) = {&on, on.issued + 1, mark};
    return put(on, [mark] {
        *mark = {now(), true};
        return ok;
    });
}
EXPORT Status cuEventSynchronize(void* event) {
    Lock lock(one_at_a_time);
    Event& mark = *static_cast<Event*>(event);
    return mark.stream ? drain(*mark.stream, mark.at) : ok;
}
EXPORT Status cuEventQuery(void* event) {
    Event& mark = *static_cast<Event*>(event);
    return !mark.mark || mark.mark->is_passed ? ok : not_ready;
}
EXPORT Status cuEventElapsedTime(float* milliseconds, void* from, void* to) {
    auto first = static_cast<Event*>(from)->mark, last = static_cast<Event*>(to)->mark;
    if (!first || !last) return invalid;
    if (!first->is_passed || !last->is_passed) return not_ready;
    return give(milliseconds, static_cast<float>(last->milliseconds - first->milliseconds));
}
EXPORT Status cuEventElapsedTime_v2(float* milliseconds, void* from, void* to) {
    return cuEventElapsedTime(milliseconds, from, to);
}

// A module is a shared object, which says nothing of its length; ELF's header ends what it must.
EXPORT Status cuModuleLoadData(void** module, const void* image) {
    Lock lock(one_at_a_time);
    if (fault != ok) return fault;
    // The compiler writes the length before the object.
    size_t bytes;
    if (memcmp(image, "STAND-IN", 8)) return invalid;
    memcpy(&bytes, static_cast<const char*>(image) + 8, sizeof bytes);
    const int file = memfd_create("module", 0);
    if (file < 0 || write(file, static_cast<const char*>(image) + 16, bytes) != static_cast<ssize_t>(bytes))
        return out_of_memory;
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    // Kept open: the next module is to have another name.
    if (!object) {
        fprintf(stderr, "stand-in: %s\n", dlerror());
        return invalid;
    }
    auto launch = reinterpret_cast<Launch>(dlsym(object, "stand_in_launch"));
    auto size = reinterpret_cast<Size>(dlsym(object, "stand_in_size"));
    return launch && size ? give(module, new Module{launch, size}) : invalid;
}
EXPORT Status cuModuleUnload(void*) { return ok; }
EXPORT Status cuModuleGetFunction(void** function, void* module, const char* name) {
    auto of = static_cast<Module*>(module);
    return of->size(name) ? give(function, new Function{of, name}) : not_found;
}
EXPORT Status cuFuncGetAttribute(int* value, int, void*) { return give(value, 0); }
EXPORT Status cuFuncSetAttribute(void* function, int attribute, int value) {
    if (attribute != 8) return invalid;
    if (value > 99 << 10) return invalid;
    static_cast<Function*>(function)->shared = static_cast<unsigned>(value);
    return ok;
}
EXPORT Status cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned threads, unsigned by,
                             unsigned bz, unsigned shared, void* stream, void** arguments, void**) {
    Lock lock(one_at_a_time);
    auto& kernel = *static_cast<Function*>(function);
    if (gx == 0 || gy == 0 || gz == 0 || gy > 65535 || gz > 65535 || by != 1 || bz != 1) return invalid;
    if (shared > kernel.shared) return invalid;
    const long at = launches++;
    if (is_due("STAND_IN_DEATH", at)) abort();
    // Copied before the call returns.
    auto from = static_cast<const unsigned char*>(arguments[0]);
    auto copied = std::make_shared<std::vector<unsigned char>>(from, from + kernel.module->size(kernel.name.c_str()));
    return put(named(stream), [=, &kernel] {
        if (is_due("STAND_IN_FAULT", at)) return illegal_address;
        if (kernel.name == word("STAND_IN_WRONG")) return ok;
        const char* problem =
            kernel.module->launch(kernel.name.c_str(), gx, gy, gz, threads, shared, copied->data());
        if (problem) fprintf(stderr, "stand-in: %s: %s\n", kernel.name.c_str(), problem);
        return problem ? launch_failed : ok;
    });
}

EXPORT Status cuGetErrorName(Status status, const char** name) {
    switch (status) {
        case out_of_memory: return give(name, "CUDA_ERROR_OUT_OF_MEMORY");
        case illegal_address: return give(name, "CUDA_ERROR_ILLEGAL_ADDRESS");
        case launch_failed: return give(name, "CUDA_ERROR_LAUNCH_FAILED");
        default: return give(name, "CUDA_ERROR_INVALID_VALUE");
    }
}
EXPORT Status cuGetErrorString(Status status, const char** text) {
    switch (status) {
        case out_of_memory: return give(text, "out of memory");
        case illegal_address: return give(text, "an illegal memory access was encountered");
        case launch_failed: return give(text, "unspecified launch failure");
        default: return give(text, "invalid argument");
    }
}
