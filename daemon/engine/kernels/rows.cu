// What happens to whole rows between two linear layers: the gated residual with the normalisation that
// follows it, and the gated activation. Both read a product as its kernel left it ("raw": f32, or bf16 whose
// value is y * row_scales[row] * col_scales[column], each of the two being 1 where its pointer is null) and
// write the operand of the next product. One block a row; a thread reads again only what it wrote itself.

// x += gate * y (if y), then, if out: normalise the new row and write it as the operand of the next product.
struct Norm {
    float* x;                 // [rows, width], changed only if y is not null
    const void* y;            // [rows, width], raw
    const float* row_scales;  // [rows]
    const float* col_scales;  // [width]
    const float* gate;        // [width], null: 1
    const float* shift;       // [width], null: 0; unused with weight
    const float* scale;       // [width], null: 0; unused with weight
    const float* weight;      // [width], null: layer norm without affine; else RMS norm
    void* out;                // [rows, width], may be null
    float* out_scales;        // [rows], e4m3 only
    unsigned rows, width;
    float eps, fixed_scale;
};

// out = [ front, as it is | silu(gates) * values ], gates and values being columns of y.
struct Gated {
    const void* front;        // [rows, front_width], f32 in the mode f32, else bf16
    const void* y;            // [rows, y_stride], raw
    const float* row_scales;  // [rows]
    const float* col_scales;  // by y's column
    void* out;                // [rows, front_width + inner]
    float* out_scales;        // [rows], e4m3 only
    unsigned rows, front_width, inner, y_stride, gate_col, value_col;
    float fixed_scale;
};

// The scale of a row whose largest magnitude is `most`: 448 is the largest e4m3. Also 1 where the quotient is
// so small that its reciprocal would be infinite.
__device__ inline float row_scale_e4m3(float most) {
    float scale = most / 448.0f;
    return scale >= 1.17549435e-38f ? scale : 1.0f;
}

template <class Raw, class Out> __device__ inline void norm(const Norm& p) {
    SHARED(float, cache);
    const unsigned step = block_threads * 4, begin = threadIdx.x * 4;
    const size_t start = static_cast<size_t>(blockIdx.x) * p.width;
    float* x = p.x + start;
    const bool rms = p.weight;

    float sum = 0.0f;
    if (p.y) {
        const Raw* y = static_cast<const Raw*>(p.y) + start;
        const float row_scale = p.row_scales ? p.row_scales[blockIdx.x] : 1.0f;
        for (unsigned j = begin; j < p.width; j += step) {
            Four a = load_four(x + j), b = load_four(y + j),
                 by = {{row_scale, row_scale, row_scale, row_scale}};
            if (p.col_scales) {
                Four c = load_four(p.col_scales + j);
                for (int i = 0; i < 4; ++i) by.v[i] *= c.v[i];
            }
            if (p.gate) {
                Four g = load_four(p.gate + j);
                for (int i = 0; i < 4; ++i) by.v[i] *= g.v[i];
            }
            for (int i = 0; i < 4; ++i) {
                a.v[i] += b.v[i] * by.v[i];
                sum += rms ? a.v[i] * a.v[i] : a.v[i];
            }
            store_four(x + j, a);
            if (p.out) store_four(cache + j, a);
        }
    } else if (p.out) {
        for (unsigned j = begin; j < p.width; j += step) {
            Four a = load_four(x + j);
            for (int i = 0; i < 4; ++i) sum += rms ? a.v[i] * a.v[i] : a.v[i];
            store_four(cache + j, a);
        }
    }
    if (!p.out) return;

    const float mean_of = 1.0f / static_cast<float>(p.width);
    float mean = 0.0f, square = block_sum(sum, 0) * mean_of;
    if (!rms) {
        // Two passes: the mean of squares less the square of the mean would lose what a large mean hides.
        mean = square;
        float spread = 0.0f;
        for (unsigned j = begin; j < p.width; j += step) {
            Four a = load_four(cache + j);
            for (int i = 0; i < 4; ++i) spread += (a.v[i] - mean) * (a.v[i] - mean);
        }
        square = block_sum(spread, 1) * mean_of;
    }
    const float inverse = rsqrtf(square + p.eps);

    Out* out = static_cast<Out*>(p.out) + start;
    float most = 0.0f;
    for (unsigned j = begin; j < p.width; j += step) {
        Four a = load_four(cache + j);
        for (int i = 0; i < 4; ++i) a.v[i] = (a.v[i] - mean) * inverse;
        if (rms) {
            Four w = load_four(p.weight + j);
            for (int i = 0; i < 4; ++i) a.v[i] *= w.v[i];
        } else {
            if (p.scale) {
                Four s = load_four(p.scale + j);
                for (int i = 0; i < 4; ++i) a.v[i] *= 1.0f + s.v[i];
            }
            if (p.shift) {
                Four s = load_four(p.shift + j);
                for (int i = 0; i < 4; ++i) a.v[i] += s.v[i];
            }
        }
        if constexpr (sizeof(Out) == 1) {
            for (int i = 0; i < 4; ++i) most = fmaxf(most, fabsf(a.v[i]));
            store_four(cache + j, a);
        } else {
            store_four(out + j, a);
        }
    }
    if constexpr (sizeof(Out) == 1) {
        const float scale = p.fixed_scale > 0.0f ? p.fixed_scale : row_scale_e4m3(block_max(most, 2));
        const float per = 1.0f / scale;
        if (threadIdx.x == 0) p.out_scales[blockIdx.x] = scale;
        for (unsigned j = begin; j < p.width; j += step) {
            Four a = load_four(cache + j);
            for (int i = 0; i < 4; ++i) a.v[i] *= per;
            store_four(out + j, a);
        }
    }
}

// silu(gate) * value of eight columns from j on.
template <class Raw>
__device__ inline Eight gate_eight(const Gated& p, const Raw* y, float row_scale, unsigned j) {
    Eight g = load_eight(y + p.gate_col + j), v = load_eight(y + p.value_col + j);
    if (p.col_scales) {
        Eight s = load_eight(p.col_scales + p.gate_col + j), t = load_eight(p.col_scales + p.value_col + j);
        for (int i = 0; i < 8; ++i) {
            g.v[i] *= s.v[i];
            v.v[i] *= t.v[i];
        }
    }
    for (int i = 0; i < 8; ++i) v.v[i] *= row_scale * silu(g.v[i] * row_scale);
    return v;
}

template <class Raw, class Out> __device__ inline void gated(const Gated& p) {
    const size_t row = blockIdx.x;
    const unsigned width = p.front_width + p.inner;
    const Raw* front = static_cast<const Raw*>(p.front) + row * p.front_width;
    const Raw* y = static_cast<const Raw*>(p.y) + row * p.y_stride;
    Out* out = static_cast<Out*>(p.out) + row * width;
    const float row_scale = p.row_scales ? p.row_scales[row] : 1.0f;

    if constexpr (sizeof(Out) == 1) {
        SHARED(float, cache);
        // The two halves of eight columns lie apart, so that a warp's 16-byte accesses meet all banks.
        float* upper = cache + width / 2;
        float most = 0.0f;
        for (unsigned j = threadIdx.x * 8; j < width; j += block_threads * 8) {
            Eight a =
                j < p.front_width ? load_eight(front + j) : gate_eight(p, y, row_scale, j - p.front_width);
            for (int i = 0; i < 8; ++i) most = fmaxf(most, fabsf(a.v[i]));
            store_four(cache + j / 2, {{a.v[0], a.v[1], a.v[2], a.v[3]}});
            store_four(upper + j / 2, {{a.v[4], a.v[5], a.v[6], a.v[7]}});
        }
        const float scale = p.fixed_scale > 0.0f ? p.fixed_scale : row_scale_e4m3(block_max(most, 0));
        const float per = 1.0f / scale;
        if (threadIdx.x == 0) p.out_scales[row] = scale;
        for (unsigned j = threadIdx.x * 8; j < width; j += block_threads * 8) {
            Four a = load_four(cache + j / 2), b = load_four(upper + j / 2);
            for (int i = 0; i < 4; ++i) {
                a.v[i] *= per;
                b.v[i] *= per;
            }
            *reinterpret_cast<uint2*>(out + j) = make_uint2(narrow_e4m3(a), narrow_e4m3(b));
        }
    } else {
        const unsigned word = 16 / sizeof(Out);
        for (unsigned j = threadIdx.x * word; j < p.front_width; j += block_threads * word)
            *reinterpret_cast<uint4*>(out + j) = *reinterpret_cast<const uint4*>(front + j);
        for (unsigned j = threadIdx.x * 8; j < p.inner; j += block_threads * 8)
            store_eight(out + p.front_width + j, gate_eight(p, y, row_scale, j));
    }
}

// Grid: rows. Dynamic shared memory: width * 4 bytes (0 where out is null).
// y f32, out f32.
extern "C" __global__ void __launch_bounds__(256) norm_f32(Norm p) { norm<float, float>(p); }
// y bf16, out bf16.
extern "C" __global__ void __launch_bounds__(256) norm_bf16(Norm p) { norm<bf16, bf16>(p); }
// y bf16, out e4m3 of v / out_scales[row].
extern "C" __global__ void __launch_bounds__(256) norm_e4m3(Norm p) { norm<bf16, e4m3>(p); }

// Grid: rows. Dynamic shared memory: none; in the mode e4m3 (front_width + inner) * 4 bytes, at most 98304.
// front, y, out f32.
extern "C" __global__ void __launch_bounds__(256) gated_f32(Gated p) { gated<float, float>(p); }
// front, y, out bf16.
extern "C" __global__ void __launch_bounds__(256) gated_bf16(Gated p) { gated<bf16, bf16>(p); }
// front and y bf16, out e4m3 of v / out_scales[row].
extern "C" __global__ void __launch_bounds__(256) gated_e4m3(Gated p) { gated<bf16, e4m3>(p); }
