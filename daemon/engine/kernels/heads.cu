// Queries, keys and values out of a fused projection: RMS norm of each head of queries and keys, then the
// rotary embedding (Su et al., RoFormer, arXiv 2104.09864). Values are only rescaled.

struct Heads {
    const void* y;            // [rows, y_stride], raw: f32, or bf16 with the scales of the next two
    const float* row_scales;  // [rows], null: 1
    const float* col_scales;  // by y's column, null: 1
    const float* q_norm;      // [width], null: no norm
    const float* k_norm;      // [width], null: no norm
    const float* cos;         // [rows, width / 2]
    const float* sin;         // [rows, width / 2]
    void* q;                  // [rows, heads * width]
    void* k;                  // [rows, kv_heads * width]
    void* v;                  // [rows, kv_heads * width]
    unsigned rows, heads, kv_heads, width, y_stride, q_col, k_col, v_col;
    unsigned halves;  // 0: columns (2i, 2i + 1) turn by angle i; 1: columns (i, i + width / 2)
    float eps;
};

__device__ inline float2 load_two(const float* p) { return *reinterpret_cast<const float2*>(p); }
__device__ inline float2 load_two(const bf16* p) {
    unsigned both = *reinterpret_cast<const unsigned*>(p);
    return make_float2(__uint_as_float(both << 16), __uint_as_float(both & 0xffff0000u));
}
__device__ inline void store_two(float* p, float a, float b) {
    *reinterpret_cast<float2*>(p) = make_float2(a, b);
}
__device__ inline void store_two(bf16* p, float a, float b) {
    *reinterpret_cast<unsigned*>(p) = pack_bf16(a, b);
}

// The two pairs of a head that turn by the angles `angle` (even) and `angle + 1`: first pair, second pair.
// `half` is half the head's width where a pair's members lie that far apart, 0 where they are neighbours.
template <class T> __device__ inline Four take_pairs(const T* head, unsigned angle, unsigned half) {
    if (!half) return load_four(head + 2 * angle);
    float2 a = load_two(head + angle), b = load_two(head + half + angle);
    return {{a.x, b.x, a.y, b.y}};
}

template <class T> __device__ inline void give_pairs(T* head, unsigned angle, unsigned half, Four pairs) {
    if (!half) {
        store_four(head + 2 * angle, pairs);
    } else {
        store_two(head + angle, pairs.v[0], pairs.v[2]);
        store_two(head + half + angle, pairs.v[1], pairs.v[3]);
    }
}

template <class T> __device__ inline void heads(const Heads& p) {
    const unsigned most_pairs = 2;  // twice two pairs for each of 32 lanes: a width of 256
    const unsigned each = p.heads + 2 * p.kv_heads;
    const unsigned task = blockIdx.x * block_warps + threadIdx.x / warp_lanes,
                   lane = threadIdx.x % warp_lanes;
    const unsigned row = task / each;
    unsigned head = task % each;
    if (row >= p.rows) return;

    unsigned column = p.q_col, count = p.heads;
    const float* weight = p.q_norm;
    T* out = static_cast<T*>(p.q);
    bool turns = true;
    if (head >= p.heads) {
        head -= p.heads;
        count = p.kv_heads;
        turns = head < p.kv_heads;
        if (!turns) head -= p.kv_heads;
        column = turns ? p.k_col : p.v_col;
        weight = turns ? p.k_norm : nullptr;
        out = static_cast<T*>(turns ? p.k : p.v);
    }
    column += head * p.width;
    out += (static_cast<size_t>(row) * count + head) * p.width;
    const T* y = static_cast<const T*>(p.y) + static_cast<size_t>(row) * p.y_stride + column;
    const unsigned half = p.halves ? p.width / 2 : 0;
    const float row_scale = p.row_scales ? p.row_scales[row] : 1.0f;

    Four held[most_pairs];
    float squares = 0.0f;
#pragma unroll
    for (unsigned n = 0; n < most_pairs; ++n) {
        const unsigned angle = 2 * (lane + n * warp_lanes);
        if (2 * angle >= p.width) continue;
        Four a = take_pairs(y, angle, half);
        for (int i = 0; i < 4; ++i) a.v[i] *= row_scale;
        if (p.col_scales) {
            Four s = take_pairs(p.col_scales + column, angle, half);
            for (int i = 0; i < 4; ++i) a.v[i] *= s.v[i];
        }
        for (int i = 0; i < 4; ++i) squares += a.v[i] * a.v[i];
        held[n] = a;
    }
    float inverse = 1.0f;
    if (weight) inverse = rsqrtf(warp_sum(squares) / static_cast<float>(p.width) + p.eps);

    const size_t angles = static_cast<size_t>(row) * (p.width / 2);
#pragma unroll
    for (unsigned n = 0; n < most_pairs; ++n) {
        const unsigned angle = 2 * (lane + n * warp_lanes);
        if (2 * angle >= p.width) continue;
        Four a = held[n];
        if (weight) {
            Four w = take_pairs(weight, angle, half);
            for (int i = 0; i < 4; ++i) a.v[i] *= inverse * w.v[i];
        }
        if (turns) {
            float2 c = load_two(p.cos + angles + angle), s = load_two(p.sin + angles + angle);
            a = {{a.v[0] * c.x - a.v[1] * s.x, a.v[0] * s.x + a.v[1] * c.x, a.v[2] * c.y - a.v[3] * s.y,
                  a.v[2] * s.y + a.v[3] * c.y}};
        }
        give_pairs(out, angle, half, a);
    }
}

// n = x * rsqrt(mean(x^2) + eps) * weight over a head's width, then for each pair (a, b)
//
//   a' = a * cos - b * sin,  b' = a * sin + b * cos.
//
// width: a multiple of 16, at most 256. heads or kv_heads may be 0; their outputs are then not touched. One
// warp for each row and head of q, k and v.
//
// Grid: ceil(rows * (heads + 2 * kv_heads) / 8). Dynamic shared memory: none.
//
// y, q, k, v f32.
extern "C" __global__ void __launch_bounds__(256) heads_f32(Heads p) { heads<float>(p); }
// y, q, k, v bf16; also in the mode e4m3.
extern "C" __global__ void __launch_bounds__(256) heads_bf16(Heads p) { heads<bf16>(p); }
