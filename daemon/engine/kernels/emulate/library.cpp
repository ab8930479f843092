// Every kernel as one shared object that the engine's tests load in place of a card's driver:
//
//   g++ -O2 -std=c++17 -ffp-contract=off -fPIC -shared -fvisibility=hidden -Wall -Wno-unknown-pragmas
//       library.cpp -o libatelier_kernels.so
//
// -ffp-contract=off keeps the results the same on every processor.
#include <mutex>

#include "emulate.hpp"

#include "../device.cuh"
#if __has_include("../tensor.cuh")
#include "../tensor.cuh"
#endif

#include "../heads.cu"
#include "../picture.cu"
#include "../rows.cu"
#include "../vector.cu"
#if __has_include("../gemm.cu")
#include "../gemm.cu"
#endif

#if __has_include("../attention.cu")
// A card's program knows one width of heads; here there is one copy for each, and the kernel's name says
// which.
#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
#define attend_f32 JOIN(attend_f32_, HEAD_WIDTH)
#define attend_bf16 JOIN(attend_bf16_, HEAD_WIDTH)
#define HEAD_WIDTH 16
namespace heads_of_16 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#define HEAD_WIDTH 32
namespace heads_of_32 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#define HEAD_WIDTH 64
namespace heads_of_64 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#define HEAD_WIDTH 128
namespace heads_of_128 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#undef attend_f32
#undef attend_bf16
#endif

namespace {

template <class Args, void (*kernel)(Args)> void call(const void* args) {
    Args copy;
    memcpy(&copy, args, sizeof(copy));
    kernel(copy);
}

struct Entry {
    const char* name;
    void (*run)(const void*);
};

#define ENTRY(args, kernel) {#kernel, call<args, kernel>}
#define ATTEND(kernel, width) \
    {#kernel "_" #width, call<heads_of_##width::Attend, heads_of_##width::kernel##_##width>}
const Entry entries[] = {
    ENTRY(Norm, norm_f32),
    ENTRY(Norm, norm_bf16),
    ENTRY(Norm, norm_e4m3),
    ENTRY(Gated, gated_f32),
    ENTRY(Gated, gated_bf16),
    ENTRY(Gated, gated_e4m3),
    ENTRY(Heads, heads_f32),
    ENTRY(Heads, heads_bf16),
    ENTRY(Matvec, matvec_f32),
    ENTRY(Matvec, matvec_bf16),
    ENTRY(Matvec, matvec_e4m3),
    ENTRY(Decode, decode_e4m3),
    ENTRY(Patches, patches_f32),
    ENTRY(Patches, patches_bf16),
    ENTRY(Moments, moments_f32),
    ENTRY(Moments, moments_bf16),
    ENTRY(Affine, affine),
    ENTRY(Settle, settle_f32),
    ENTRY(Settle, settle_bf16),
    ENTRY(Planes, planes),
    ENTRY(Softmax, softmax_f32),
    ENTRY(Softmax, softmax_bf16),
#if __has_include("../gemm.cu")
    ENTRY(Gemm, gemm_f32),
    ENTRY(Gemm, gemm_bf16),
    ENTRY(Gemm, gemm_bf16_f32),
    ENTRY(Gemm, gemm_e4m3),
#endif
#if __has_include("../attention.cu")
    ATTEND(attend_f32, 16),
    ATTEND(attend_bf16, 16),
    ATTEND(attend_f32, 32),
    ATTEND(attend_bf16, 32),
    ATTEND(attend_f32, 64),
    ATTEND(attend_bf16, 64),
    ATTEND(attend_f32, 128),
    ATTEND(attend_bf16, 128),
#endif
};
#undef ENTRY
#undef ATTEND

std::mutex one_at_a_time;

}  // namespace

// Runs a kernel over a grid of blocks of `threads` threads, with a copy of the argument structure at `args`.
// 0: done. 1: no such kernel. 2: the launch or the kernel is wrong, and standard error says how.
extern "C" __attribute__((visibility("default"))) int atelier_emulate(const char* kernel, unsigned gx,
                                                                      unsigned gy, unsigned gz,
                                                                      unsigned threads, unsigned shared_bytes,
                                                                      const void* args) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    for (const Entry& entry : entries) {
        if (strcmp(entry.name, kernel)) continue;
        const char* problem = emulate::launch({gx, gy, gz}, threads, shared_bytes, entry.run, args);
        if (!problem) return 0;
        fprintf(stderr, "%s: %s\n", kernel, problem);
        return 2;
    }
    return 1;
}
