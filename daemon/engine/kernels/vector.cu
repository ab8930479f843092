// Products of a matrix and one vector, which are bound by reading the matrix once, and widening of FP8
// weights.

struct Matvec {
    const void* w;          // [rows, width]
    const float* w_scales;  // [rows], null: 1
    const float* x;         // [width]
    float* out;             // [rows]
    unsigned rows, width;
    unsigned silu;  // not 0: of silu(x)
    unsigned add;   // not 0: out += instead of out =
};

struct Decode {
    const e4m3* w;        // [rows, width]
    const float* scales;  // [rows], null: 1
    bf16* out;            // [rows, width]
    unsigned rows, width;
};

const unsigned vector_tile = 4096;  // columns of x that lie in shared memory at a time

__device__ inline float* vector_acts() {
    __shared__ __align__(16) float acts[vector_tile];
    return acts;
}

// Sixteen bytes of a row of w as `parts` times four f32, from column j on; 0 from column `end` on.
template <class W> struct Words {
    Four v[4 / sizeof(W)];
};

__device__ inline Words<float> load_words(const float* w, unsigned j, unsigned) {
    return {{load_four(w + j)}};
}

__device__ inline Words<bf16> load_words(const bf16* w, unsigned j, unsigned) {
    Eight a = load_eight(w + j);
    return {{{{a.v[0], a.v[1], a.v[2], a.v[3]}}, {{a.v[4], a.v[5], a.v[6], a.v[7]}}}};
}

__device__ inline Words<e4m3> load_words(const e4m3* w, unsigned j, unsigned end) {
    uint4 bytes = make_uint4(0, 0, 0, 0);
    if (end % 16 == 0) {
        bytes = *reinterpret_cast<const uint4*>(w + j);
    } else {
        // Every other row of such a width begins in the middle of sixteen bytes.
        uint2 low = *reinterpret_cast<const uint2*>(w + j), high = make_uint2(0, 0);
        if (j + 8 < end) high = *reinterpret_cast<const uint2*>(w + j + 8);
        bytes = make_uint4(low.x, low.y, high.x, high.y);
    }
    Eight a = widen_e4m3(make_uint2(bytes.x, bytes.y)), b = widen_e4m3(make_uint2(bytes.z, bytes.w));
    return {{{{a.v[0], a.v[1], a.v[2], a.v[3]}},
             {{a.v[4], a.v[5], a.v[6], a.v[7]}},
             {{b.v[0], b.v[1], b.v[2], b.v[3]}},
             {{b.v[4], b.v[5], b.v[6], b.v[7]}}}};
}

template <class W> __device__ inline void matvec(const Matvec& p) {
    const unsigned parts = 4 / sizeof(W), word = 4 * parts, part_size = vector_tile / parts;
    // The fours of one word lie part_size apart, so that a warp's 16-byte reads meet all banks.
    float* acts = vector_acts();
    const unsigned lane = threadIdx.x % warp_lanes, row = blockIdx.x * block_warps + threadIdx.x / warp_lanes;
    // A warp without a row stays for the barriers.
    const unsigned end = row < p.rows ? p.width : 0;
    const W* w = static_cast<const W*>(p.w) + static_cast<size_t>(row) * p.width;

    Four sums = {{0.0f, 0.0f, 0.0f, 0.0f}};
    for (unsigned first = 0; first < p.width; first += vector_tile) {
        if (first) __syncthreads();
        const unsigned staged = min(vector_tile, (p.width - first + word - 1) / word * word);
        for (unsigned j = threadIdx.x * 4; j < staged; j += block_threads * 4) {
            Four a = {{0.0f, 0.0f, 0.0f, 0.0f}};
            if (first + j < p.width) a = load_four(p.x + first + j);
            if (p.silu)
                for (int i = 0; i < 4; ++i) a.v[i] = silu(a.v[i]);
            store_four(acts + j / 4 % parts * part_size + j / word * 4, a);
        }
        __syncthreads();
        const unsigned last = min(end, first + vector_tile);
#pragma unroll 4
        for (unsigned j = first + lane * word; j < last; j += warp_lanes * word) {
            Words<W> a = load_words(w, j, p.width);
#pragma unroll
            for (unsigned part = 0; part < parts; ++part) {
                Four x = load_four(acts + part * part_size + (j - first) / word * 4);
                for (int i = 0; i < 4; ++i) sums.v[i] += a.v[part].v[i] * x.v[i];
            }
        }
    }
    float sum = warp_sum((sums.v[0] + sums.v[1]) + (sums.v[2] + sums.v[3]));
    if (lane || row >= p.rows) return;
    if (p.w_scales) sum *= p.w_scales[row];
    p.out[row] = p.add ? p.out[row] + sum : sum;
}

// out[i] (+)= w_scales[i] * sum over j of w[i, j] * act(x[j]), act being silu or nothing. One warp a row.
// Grid: ceil(rows / 8). Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) matvec_f32(Matvec p) { matvec<float>(p); }
extern "C" __global__ void __launch_bounds__(256) matvec_bf16(Matvec p) { matvec<bf16>(p); }
extern "C" __global__ void __launch_bounds__(256) matvec_e4m3(Matvec p) { matvec<e4m3>(p); }

// out = bf16(w * scales[row]). Eight elements a thread; rows * width / 8 must fit 32 bits.
// Grid: ceil(rows * width / 2048). Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) decode_e4m3(Decode p) {
    const unsigned each = p.width / 8, index = blockIdx.x * block_threads + threadIdx.x;
    const unsigned row = index / each;
    if (row >= p.rows) return;
    const size_t at = static_cast<size_t>(index) * 8;
    const float scale = p.scales ? p.scales[row] : 1.0f;
    Eight a = widen_e4m3(*reinterpret_cast<const uint2*>(p.w + at));
    for (int i = 0; i < 8; ++i) a.v[i] *= scale;
    store_eight(p.out + at, a);
}
