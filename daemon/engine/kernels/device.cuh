// What all kernels share: the two narrow number formats, conversions, vectors of elements, and sums and
// maxima over a warp or a block. The text is compiled by NVRTC with no header at all, or by g++ behind
// emulate/emulate.hpp, which defines EMULATED.

typedef unsigned short bf16;  // the bits of a bfloat16
typedef unsigned char e4m3;   // the bits of an OCP FP8 E4M3 (no infinity, largest value 448)

#ifndef EMULATED
// The one array of dynamic shared memory of a kernel, as `type* name`.
#define SHARED(type, name)                                          \
    extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
    type* name = reinterpret_cast<type*>(dynamic_shared)
#endif

#define WHOLE_WARP 0xffffffffu

const unsigned warp_lanes = 32;
const unsigned block_threads = 256;  // of every kernel that does not say otherwise
const unsigned block_warps = block_threads / warp_lanes;

// Conversions. All round to the nearest, ties to even.

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(bf16 v) { return __uint_as_float(static_cast<unsigned>(v) << 16); }

// Two bf16 in one word, `low` in the low half. A NaN becomes 0x7fff, as PTX says of cvt.
__device__ inline unsigned pack_bf16(float low, float high) {
#ifdef EMULATED
    unsigned packed = 0;
    for (int i = 0; i < 2; ++i) {
        float v = i ? high : low;
        unsigned bits = __float_as_uint(v);
        bits = v != v ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
        packed |= bits << (16 * i);
    }
    return packed;
#else
    unsigned packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
#endif
}

__device__ inline bf16 to_bf16(float v) { return static_cast<bf16>(pack_bf16(v, 0.0f)); }

// One e4m3 without the instruction for it: saturates at 448, a NaN becomes 0x7f.
__device__ inline unsigned soft_e4m3(float v) {
    unsigned bits = __float_as_uint(v);
    float size = __uint_as_float(bits & 0x7fffffffu);
    if (size != size) return 0x7fu;
    size = fminf(size, 448.0f);
    unsigned code;
    if (size < 0.015625f) {
        // Below 2^-6 the codes are multiples of 2^-9, which is the distance of two floats at 2^14.
        code = __float_as_uint(size + 16384.0f) - __float_as_uint(16384.0f);
    } else {
        unsigned wide = __float_as_uint(size);
        code = ((wide + 0x7ffffu + (wide >> 20 & 1)) >> 20) - ((127u - 7u) << 3);
    }
    return code | (bits >> 24 & 0x80u);
}

// Two e4m3 in the low half of a word, `low` in the lowest byte.
__device__ inline unsigned pack_e4m3(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    unsigned short packed;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(packed) : "f"(high), "f"(low));
    return packed;
#else
    return soft_e4m3(low) | soft_e4m3(high) << 8;
#endif
}

// The two e4m3 in the low half of a word; exact.
__device__ inline float2 unpack_e4m3(unsigned pair) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    unsigned halves;
    float low, high;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(static_cast<unsigned short>(pair)));
    asm("{ .reg .b16 l, h; mov.b32 {l, h}, %2; cvt.f32.f16 %0, l; cvt.f32.f16 %1, h; }"
        : "=f"(low), "=f"(high)
        : "r"(halves));
    return make_float2(low, high);
#else
    float v[2];
    for (int i = 0; i < 2; ++i) {
        unsigned code = pair >> (8 * i) & 0xffu;
        // Exponent and mantissa in a float's place are 2^120 times too small, subnormal ones likewise.
        float size = __uint_as_float((code & 0x7fu) << 20) * 1.329227995784916e36f;
        unsigned bits = (code & 0x7fu) == 0x7fu ? 0x7fffffffu : __float_as_uint(size);
        v[i] = __uint_as_float(bits | (code & 0x80u) << 24);
    }
    return make_float2(v[0], v[1]);
#endif
}

// Four or eight elements side by side, widened to f32. The addresses are aligned to the size that is moved.

struct Four { float v[4]; };
struct Eight { float v[8]; };

__device__ inline Four load_four(const float* p) {
    float4 a = *reinterpret_cast<const float4*>(p);
    return {{a.x, a.y, a.z, a.w}};
}

__device__ inline Four load_four(const bf16* p) {
    uint2 a = *reinterpret_cast<const uint2*>(p);
    return {{__uint_as_float(a.x << 16), __uint_as_float(a.x & 0xffff0000u), __uint_as_float(a.y << 16),
             __uint_as_float(a.y & 0xffff0000u)}};
}

__device__ inline Eight load_eight(const float* p) {
    float4 a = reinterpret_cast<const float4*>(p)[0], b = reinterpret_cast<const float4*>(p)[1];
    return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}

__device__ inline Eight load_eight(const bf16* p) {
    uint4 a = *reinterpret_cast<const uint4*>(p);
    return {{__uint_as_float(a.x << 16), __uint_as_float(a.x & 0xffff0000u), __uint_as_float(a.y << 16),
             __uint_as_float(a.y & 0xffff0000u), __uint_as_float(a.z << 16),
             __uint_as_float(a.z & 0xffff0000u), __uint_as_float(a.w << 16),
             __uint_as_float(a.w & 0xffff0000u)}};
}

__device__ inline Eight widen_e4m3(uint2 a) {
    float2 p = unpack_e4m3(a.x), q = unpack_e4m3(a.x >> 16), r = unpack_e4m3(a.y), s = unpack_e4m3(a.y >> 16);
    return {{p.x, p.y, q.x, q.y, r.x, r.y, s.x, s.y}};
}

__device__ inline void store_four(float* p, Four a) {
    *reinterpret_cast<float4*>(p) = make_float4(a.v[0], a.v[1], a.v[2], a.v[3]);
}

__device__ inline void store_four(bf16* p, Four a) {
    *reinterpret_cast<uint2*>(p) = make_uint2(pack_bf16(a.v[0], a.v[1]), pack_bf16(a.v[2], a.v[3]));
}

__device__ inline unsigned narrow_e4m3(Four a) {
    return pack_e4m3(a.v[0], a.v[1]) | pack_e4m3(a.v[2], a.v[3]) << 16;
}

__device__ inline void store_four(e4m3* p, Four a) { *reinterpret_cast<unsigned*>(p) = narrow_e4m3(a); }

__device__ inline void store_eight(float* p, Eight a) {
    store_four(p, {{a.v[0], a.v[1], a.v[2], a.v[3]}});
    store_four(p + 4, {{a.v[4], a.v[5], a.v[6], a.v[7]}});
}

__device__ inline void store_eight(bf16* p, Eight a) {
    *reinterpret_cast<uint4*>(p) = make_uint4(pack_bf16(a.v[0], a.v[1]), pack_bf16(a.v[2], a.v[3]),
                                              pack_bf16(a.v[4], a.v[5]), pack_bf16(a.v[6], a.v[7]));
}

// x / (1 + e^-x). The approximate division is within two units in the last place, and 0 where e^-x is huge.
__device__ inline float silu(float x) { return __fdividef(x, 1.0f + expf(-x)); }

// Sums and maxima. The butterfly leaves the same bits in every lane.

__device__ inline float warp_sum(float v) {
    for (unsigned apart = warp_lanes / 2; apart; apart /= 2) v += __shfl_xor_sync(WHOLE_WARP, v, apart);
    return v;
}

__device__ inline float warp_max(float v) {
    for (unsigned apart = warp_lanes / 2; apart; apart /= 2)
        v = fmaxf(v, __shfl_xor_sync(WHOLE_WARP, v, apart));
    return v;
}

// Floats of shared memory for the reductions of a block; each needs block_warps of its own, so that one
// barrier is enough. Not in a template: see `__shared__` in emulate/emulate.hpp.
const unsigned most_reductions = 3;
__device__ inline float* reduction_scratch(unsigned reduction) {
    __shared__ float scratch[most_reductions * block_warps];
    return scratch + reduction * block_warps;
}

// Over a block of block_threads. `reduction` counts the reductions of the kernel from 0. The barrier also
// makes visible what the threads wrote to shared memory before.
__device__ inline float block_sum(float v, unsigned reduction) {
    float* scratch = reduction_scratch(reduction);
    v = warp_sum(v);
    if (threadIdx.x % warp_lanes == 0) scratch[threadIdx.x / warp_lanes] = v;
    __syncthreads();
    float sum = scratch[0];
    for (unsigned i = 1; i < block_warps; ++i) sum += scratch[i];
    return sum;
}

__device__ inline float block_max(float v, unsigned reduction) {
    float* scratch = reduction_scratch(reduction);
    v = warp_max(v);
    if (threadIdx.x % warp_lanes == 0) scratch[threadIdx.x / warp_lanes] = v;
    __syncthreads();
    float most = scratch[0];
    for (unsigned i = 1; i < block_warps; ++i) most = fmaxf(most, scratch[i]);
    return most;
}
