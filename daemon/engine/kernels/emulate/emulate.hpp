// Runs the kernels' CUDA text on a processor, so that their arithmetic, indexing and barriers can be tested
// where there is no card. It comes before device.cuh and takes the place of what NVRTC has built in.
//
// Every CUDA thread of a block is a fibre with a stack of its own, on one thread of the system; blocks run
// one after another. A fibre gives way only where it waits for its warp or its block. Shared memory is filled
// with NaNs before each block, so that reading what nobody wrote shows; `shuffle` makes fibres go on in a
// random order, so that a missing barrier shows as a result that changes with the seed.
//
// Conventions of the .cu text: free functions say `__device__` and never `static` (it is `static` here);
// dynamic shared memory is taken with SHARED; all lanes of a warp take part in every warp operation.
#pragma once
#define EMULATED 1

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "context.hpp"

#define __global__
#define __device__ static __attribute__((unused))
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// A section of its own lets the emulator find, and fill, every shared array of the program. GCC forgets it
// within a template, so arrays stand in plain functions.
#define __shared__ static __attribute__((section("block_shared")))
#define SHARED(type, name) type* name = reinterpret_cast<type*>(emulate::dynamic_shared)

struct uint3 { unsigned x, y, z; };
struct float2 { float x, y; } __align__(8);
struct uint2 { unsigned x, y; } __align__(8);
struct float4 { float x, y, z, w; } __align__(16);
struct uint4 { unsigned x, y, z, w; } __align__(16);
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

static uint3 threadIdx, blockIdx, blockDim, gridDim;

extern "C" __attribute__((weak, visibility("hidden"))) unsigned char __start_block_shared[],
    __stop_block_shared[];

namespace emulate {

constexpr unsigned most_threads = 1024, warp_size = 32, stack_bytes = 1u << 17, guard_bytes = 256;
// What a block can have on sm_86, sm_89 and sm_120, the least of all targets, and of that what kernels declare.
constexpr unsigned most_shared = (99 - 1) << 10;
constexpr unsigned most_exchanged = 256;  // bytes of a lane in one exchange

struct Fibre {
    Context context;
    unsigned turn;  // which half of its warp's exchange buffer comes next
};

struct Warp {
    unsigned live, arrived, waiting, line, size;
    alignas(16) unsigned char exchange[2][warp_size * most_exchanged];
};

alignas(1024) static unsigned char dynamic_shared[most_shared + guard_bytes];
static Fibre fibres[most_threads];
static Warp warps[most_threads / warp_size];
static unsigned short ready[most_threads], at_barrier[most_threads];
static unsigned ready_count, barrier_count, barrier_line, live, current, created, seed;
static unsigned block_serial;  // blocks run so far: tells state kept for a thread from an earlier block's
static const char* problem;
static Context outside;
static void (*body)(const void*);
static const void* arguments;

// 0: fibres go on in the order of their threads. Else: in a random order that follows from the seed.
static inline void shuffle(unsigned new_seed) { seed = new_seed; }

// The linear index of the running thread within its block.
static inline unsigned thread_index() { return current; }

// Gives the launch up: the fibres stay where they are and are made anew by the next launch.
__attribute__((noinline, cold)) static void fail(const char* what) {
    problem = what;
    created = 0;
    switch_context(&fibres[current].context, &outside);
}

static inline unsigned pick() {
    unsigned at = ready_count - 1;
    if (seed) {
        seed = seed * 1664525u + 1013904223u;
        at = (seed >> 8) % ready_count;
    }
    unsigned next = ready[at];
    ready[at] = ready[--ready_count];
    return next;
}

// Lets another thread go on, until somebody has put this one among the ready.
__attribute__((always_inline)) static inline void yield() {
    if (!ready_count) fail("threads wait for others that will never come");
    Context* from = &fibres[current].context;
    current = pick();
    threadIdx.x = current;  // blocks have one dimension here
    switch_context(from, &fibres[current].context);
}

// Under a seed even the thread that came last gives way, or it would always go on first.
static inline void give_way() {
    if (!seed) return;
    ready[ready_count++] = current;
    yield();
}

static inline void release(Warp& warp) {
    unsigned first = unsigned(&warp - warps) * warp_size;
    for (unsigned lane = warp_size; lane-- > 0;)
        if (warp.waiting >> lane & 1) ready[ready_count++] = first + lane;
    warp.waiting = warp.arrived = 0;
}

static inline void release_block() {
    while (barrier_count) ready[ready_count++] = at_barrier[--barrier_count];
}

// Waits for the live lanes of the warp. `size` and `line` must be the same in all of them.
__attribute__((always_inline)) static inline void wait_warp(unsigned size, unsigned line) {
    Warp& warp = warps[current / warp_size];
    if (warp.arrived && (warp.line != line || warp.size != size))
        fail("lanes of a warp wait at different places");
    warp.line = line;
    warp.size = size;
    if (++warp.arrived == warp.live) {
        release(warp);
        give_way();
    } else {
        warp.waiting |= 1u << current % warp_size;
        yield();
    }
}

static inline void wait_block(unsigned line) {
    if (barrier_count && barrier_line != line) fail("threads of a block wait at different barriers");
    barrier_line = line;
    if (barrier_count + 1 == live) {
        release_block();
        give_way();
    } else {
        at_barrier[barrier_count++] = current;
        yield();
    }
}

// The values of all lanes of the warp, lane after lane, `size` bytes each; valid until the lane's next
// exchange but one. The two halves take turns, so one barrier is enough: nobody writes a half again before
// all lanes have come to the exchange after it, and so have read it.
static inline const void* warp_exchange(const void* mine, unsigned size, unsigned line = __builtin_LINE()) {
    if (size > most_exchanged) fail("a lane exchanges too much at once");
    unsigned char* half = warps[current / warp_size].exchange[fibres[current].turn];
    fibres[current].turn ^= 1;
    memcpy(half + current % warp_size * size, mine, size);
    wait_warp(size, line);
    return half;
}

template <class T> static inline const T* warp_exchange(const T& mine, unsigned line = __builtin_LINE()) {
    return static_cast<const T*>(warp_exchange(&mine, sizeof(T), line));
}

static inline void leave() {
    Warp& warp = warps[current / warp_size];
    --live;
    --warp.live;
    if (warp.arrived && warp.arrived == warp.live) release(warp);
    if (barrier_count && barrier_count == live) release_block();
    if (live)
        yield();
    else
        switch_context(&fibres[current].context, &outside);
}

// A fibre lives as long as the program: each block is one more turn of the loop.
static void live_on() {
    for (;;) {
        body(arguments);
        leave();
    }
}

// False where the system has no memory for the stacks.
static inline bool create(unsigned threads) {
    static unsigned char* stacks = nullptr;
    if (!stacks) {
        void* map = mmap(nullptr, size_t(stack_bytes) * most_threads, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) return false;
        stacks = static_cast<unsigned char*>(map);
    }
    for (; created < threads; ++created) {
        unsigned char* stack = stacks + size_t(stack_bytes) * created;
        mprotect(stack, 4096, PROT_NONE);  // an overflow ends the program instead of a neighbour's stack
        // Stacks that end at the same offset of a page would push one another out of the cache.
        make_context(fibres[created].context, stack, stack_bytes - created % 61 * 576, live_on);
    }
    return true;
}

static inline void run_block(unsigned threads, unsigned shared_bytes) {
    memset(dynamic_shared, 0xff, shared_bytes);
    memset(dynamic_shared + shared_bytes, 0xa5, guard_bytes);
    if (__start_block_shared)
        memset(__start_block_shared, 0xff, size_t(__stop_block_shared - __start_block_shared));
    ++block_serial;
    ready_count = barrier_count = 0;
    live = threads;
    for (unsigned first = 0; first < threads; first += warp_size) {
        Warp& warp = warps[first / warp_size];
        warp.live = threads - first < warp_size ? threads - first : warp_size;
        warp.arrived = warp.waiting = 0;
    }
    for (unsigned i = threads; i-- > 0;) {
        fibres[i].turn = 0;
        ready[ready_count++] = i;
    }
    // Comes back when the last thread has left, or one has failed.
    current = pick();
    threadIdx.x = current;
    switch_context(&outside, &fibres[current].context);
    for (unsigned i = 0; i < guard_bytes; ++i)
        if (dynamic_shared[shared_bytes + i] != 0xa5) problem = "written behind the dynamic shared memory";
}

// Runs `run(args)` in every thread of the grid. Null, or what went wrong.
static inline const char* launch(uint3 grid, unsigned threads, unsigned shared_bytes,
                                 void (*run)(const void*), const void* args) {
    if (threads == 0 || threads > most_threads) return "more threads than a block can have, or none";
    if (shared_bytes > most_shared) return "more shared memory than a block can have";
    gridDim = grid;
    blockDim = {threads, 1, 1};
    body = run;
    arguments = args;
    problem = nullptr;
    if (!create(threads)) return "no memory for the stacks of the threads";
    for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) {
                run_block(threads, shared_bytes);
                if (problem) return problem;
            }
    return nullptr;
}

}  // namespace emulate

static inline void __syncthreads(unsigned line = __builtin_LINE()) { emulate::wait_block(line); }
static inline void __syncwarp(unsigned = ~0u, unsigned line = __builtin_LINE()) {
    emulate::wait_warp(0, line);
}
template <class T>
static inline T __shfl_sync(unsigned, T mine, unsigned from, unsigned line = __builtin_LINE()) {
    return emulate::warp_exchange(mine, line)[from % emulate::warp_size];
}
template <class T>
static inline T __shfl_xor_sync(unsigned, T mine, unsigned mask, unsigned line = __builtin_LINE()) {
    return emulate::warp_exchange(mine, line)[(emulate::current ^ mask) % emulate::warp_size];
}

template <class To, class From> static inline To emulate_cast(From from) {
    static_assert(sizeof(To) == sizeof(From), "a cast of bits keeps their number");
    To to;
    memcpy(&to, &from, sizeof(to));
    return to;
}
static inline unsigned __float_as_uint(float v) { return emulate_cast<unsigned>(v); }
static inline float __uint_as_float(unsigned v) { return emulate_cast<float>(v); }
static inline float rsqrtf(float v) { return 1.0f / sqrtf(v); }
static inline float __fdividef(float a, float b) { return a / b; }
#define __expf(v) expf(v)  // glibc has the name for itself
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
