// Checks that the emulator notices what it is there to notice: each kernel here has one fault of the kind
// that a card would hide or hang on. Ends with 1 where one goes unseen.
//
//   g++ -O2 -std=c++17 -Wall check_emulator.cpp -o /tmp/check_emulator && /tmp/check_emulator
#include <initializer_list>

#include "emulate.hpp"

namespace {

struct Args { float* out; };

void sound(Args args) {
    SHARED(float, all);
    all[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    float other = all[blockDim.x - 1 - threadIdx.x];
    other += __shfl_sync(~0u, other, 5) + __shfl_xor_sync(~0u, other, 16);
    __syncwarp();
    args.out[threadIdx.x] = other;
}

void no_barrier(Args args) {
    SHARED(float, all);
    all[threadIdx.x] = float(threadIdx.x);
    args.out[threadIdx.x] = all[blockDim.x - 1 - threadIdx.x];
}

void reads_unwritten(Args args) {
    __shared__ float all[64];
    if (threadIdx.x < 63) all[threadIdx.x] = 1.0f;
    __syncthreads();
    args.out[threadIdx.x] = all[63 - threadIdx.x];
}

void writes_beyond(Args) {
    SHARED(float, all);
    all[threadIdx.x + 1] = 0.0f;
}

void waits_alone(Args) {
    if (threadIdx.x < 7)
        __syncthreads();
    else
        __syncwarp();
}

void waits_apart(Args) {
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

void exchanges_apart(Args args) {
    if (threadIdx.x % 2)
        args.out[threadIdx.x] = __shfl_sync(~0u, 1.0f, 0);
    else
        args.out[threadIdx.x] = __shfl_sync(~0u, 2.0f, 0);
}

float out[64];

template <void (*kernel)(Args)> const char* run(unsigned seed = 0) {
    Args args = {out};
    emulate::shuffle(seed);
    return emulate::launch(
        {2, 1, 1}, 64, 64 * sizeof(float), [](const void* of) { kernel(*static_cast<const Args*>(of)); },
        &args);
}

unsigned failures = 0;

void expect(bool holds, const char* what) {
    failures += !holds;
    printf("%s: %s\n", holds ? "ok" : "FAILED", what);
}

bool right() {
    for (int i = 0; i < 64; ++i)
        if (out[i] != float(63 - i + 63 - (i / 32 * 32 + 5) + 63 - (i ^ 16))) return false;
    return true;
}

int unwritten() {
    int nans = 0;
    for (float v : out) nans += v != v;
    return nans;
}

}  // namespace

int main() {
    for (unsigned seed : {0u, 1u, 40503u})
        expect(!run<sound>(seed) && right(),
               "a kernel without a fault gives the right numbers in every order");
    expect(!run<no_barrier>(7) && unwritten() > 0, "a missing barrier shows in a random order");
    expect(!run<reads_unwritten>() && unwritten() == 1, "unwritten shared memory holds NaNs");
    expect(run<writes_beyond>(), "a write behind the dynamic shared memory");
    expect(run<waits_alone>(), "threads that wait for others that will never come");
    expect(run<waits_apart>(), "threads of a block at different barriers");
    expect(run<exchanges_apart>(), "lanes of a warp in different exchanges");
    expect(!run<sound>() && right(), "a launch after a failed one");
    return failures != 0;
}
