// Pictures as rows of channels, one row a pixel, for the autoencoder: neighbourhoods as rows of a product's
// operand, group normalisation, what is added to a product, softmax, and the way out to planes. Channels are
// multiples of 8; eight side by side are one access of a thread.

// The neighbourhood of each of some pixels of a result, side by side: out[pixel] = [tap][channel], zeros where it
// reaches beyond the picture. Each number is normalised once and stored wherever it is a neighbour.
struct Patches {
    const void* from;    // [height, width, channels]
    const float* scale;  // [channels], null: 1
    const float* shift;  // [channels], null: 0
    void* out;           // [rows, out_width, side, side, channels]
    unsigned height, width, channels;
    unsigned first, rows, out_width;  // the result's rows: the first, how many, and the pixels of each
    unsigned side;                    // of a neighbourhood: 1 or 3
    unsigned before;                  // by how many pixels it begins above and to the left
    unsigned stride;                  // pixels from one neighbourhood to the next
    unsigned each;                    // times that a pixel stands beside and below itself: 1 or 2
    unsigned silu;                    // not 0: after scale and shift
};

// Mean and sum of squares around it of each channel, over `slice` rows at a time.
struct Moments {
    const void* x;  // [rows, channels]
    float* out;     // [ceil(rows / slice), 2, channels]
    unsigned rows, channels, slice;
};

// What group normalisation does to each channel, as one factor and one summand.
struct Affine {
    const float* moments;  // as Moments leaves them
    const float* weight;   // [channels]
    const float* bias;     // [channels]
    float* scale;          // [channels]
    float* shift;          // [channels]
    unsigned rows, channels, slice, groups;
    float eps;
};

// out = y + bias + add.
struct Settle {
    const float* y;     // [rows, columns]
    const float* bias;  // [columns]
    const void* add;    // [rows, columns], null: 0; may be out
    void* out;          // [rows, columns]
    unsigned rows, columns;
};

// out[plane][first + row] = y[row][plane] + bias[plane].
struct Planes {
    const float* y;     // [rows, columns]
    const float* bias;  // [columns]
    float* out;         // [planes, length]
    unsigned rows, columns, planes, length, first;
};

// out[row] = softmax(factor * scores[row]) over the first `keys` columns; 0 in those after them.
struct Softmax {
    const float* scores;  // [rows, columns]
    void* out;            // [rows, columns]
    unsigned rows, keys, columns;
    float factor;
};

template <class T> __device__ inline void patches(const Patches& p) {
    const unsigned chunks = p.channels / 8, index = blockIdx.x * block_threads + threadIdx.x;
    // A thread has a place of what the neighbourhoods cover, borders included.
    const unsigned across = (p.out_width - 1) * p.stride + p.side;
    const unsigned chunk = index % chunks, v = index / chunks / across, u = index / chunks % across;
    if (v >= (p.rows - 1) * p.stride + p.side) return;
    // Above and left of the picture these wrap, and are beyond its end too.
    const unsigned y = p.first * p.stride + v - p.before, x = u - p.before, channel = chunk * 8;
    Eight a = {{0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}};
    if (y < p.height * p.each && x < p.width * p.each) {
        const size_t pixel = static_cast<size_t>(y / p.each) * p.width + x / p.each;
        a = load_eight(static_cast<const T*>(p.from) + pixel * p.channels + channel);
        if (p.scale) {
            Eight s = load_eight(p.scale + channel), t = load_eight(p.shift + channel);
            for (int i = 0; i < 8; ++i) a.v[i] = a.v[i] * s.v[i] + t.v[i];
        }
        if (p.silu)
            for (int i = 0; i < 8; ++i) a.v[i] = silu(a.v[i]);
    }
    for (unsigned down = 0; down < p.side; ++down) {
        const unsigned row = (v - down) / p.stride;
        if (v < down || (v - down) % p.stride || row >= p.rows) continue;
        for (unsigned right = 0; right < p.side; ++right) {
            const unsigned column = (u - right) / p.stride;
            if (u < right || (u - right) % p.stride || column >= p.out_width) continue;
            const size_t pixel = static_cast<size_t>(row) * p.out_width + column;
            const size_t tap = pixel * p.side * p.side + down * p.side + right;
            store_eight(static_cast<T*>(p.out) + tap * p.channels + channel, a);
        }
    }
}

const unsigned moments_chunks = 32;  // of eight channels each, at most, in a block

template <class T> __device__ inline void moments(const Moments& p, float* sums) {
    const unsigned lanes = min(p.channels / 8 - blockIdx.y * moments_chunks, moments_chunks);
    const unsigned width = lanes * 8, channel = blockIdx.y * moments_chunks * 8, steps = block_threads / lanes;
    const unsigned lane = threadIdx.x % lanes, own = threadIdx.x / lanes;
    const unsigned first = blockIdx.x * p.slice, end = min(first + p.slice, p.rows);
    const T* x = static_cast<const T*>(p.x) + static_cast<size_t>(first) * p.channels + channel;

    // Sums of the distance from the slice's first pixel: squares of the numbers themselves would lose what a
    // large mean hides.
    if (own < steps) {
        const Eight origin = load_eight(x + lane * 8);
        Eight sum = {{0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}}, square = sum;
        for (unsigned row = own; row < end - first; row += steps) {
            Eight a = load_eight(x + static_cast<size_t>(row) * p.channels + lane * 8);
            for (int i = 0; i < 8; ++i) {
                const float apart = a.v[i] - origin.v[i];
                sum.v[i] += apart;
                square.v[i] += apart * apart;
            }
        }
        store_eight(sums + own * 2 * width + lane * 8, sum);
        store_eight(sums + (own * 2 + 1) * width + lane * 8, square);
    }
    __syncthreads();
    const float share = 1.0f / static_cast<float>(end - first);
    float* out = p.out + static_cast<size_t>(blockIdx.x) * 2 * p.channels + channel;
    for (unsigned j = threadIdx.x; j < width; j += block_threads) {
        float sum = 0.0f, square = 0.0f;
        for (unsigned step = 0; step < steps; ++step) {
            sum += sums[step * 2 * width + j];
            square += sums[(step * 2 + 1) * width + j];
        }
        out[j] = to_float(x[j]) + sum * share;
        out[p.channels + j] = fmaxf(square - sum * sum * share, 0.0f);
    }
}

// How many numbers there are, their mean, and the sum of squares around it.
struct Moment { float count, mean, square; };

// Of both together (Chan, Golub and LeVeque 1979).
__device__ inline Moment join(Moment a, Moment b) {
    const float count = a.count + b.count, apart = b.mean - a.mean;
    if (count == 0.0f) return a;
    const float share = b.count / count;
    return {count, a.mean + apart * share, a.square + b.square + apart * apart * a.count * share};
}

// What a product left, with its bias and what it is added to.
template <class T> __device__ inline void settle(const Settle& p) {
    const size_t at = (static_cast<size_t>(blockIdx.x) * block_threads + threadIdx.x) * 8;
    if (at >= static_cast<size_t>(p.rows) * p.columns) return;
    Eight a = load_eight(p.y + at), b = load_eight(p.bias + at % p.columns);
    for (int i = 0; i < 8; ++i) a.v[i] += b.v[i];
    if (p.add) {
        Eight c = load_eight(static_cast<const T*>(p.add) + at);
        for (int i = 0; i < 8; ++i) a.v[i] += c.v[i];
    }
    store_eight(static_cast<T*>(p.out) + at, a);
}

// Columns from j on, scaled; what is no key weighs nothing.
__device__ inline Four scores_at(const Softmax& p, const float* row, unsigned j) {
    Four a = load_four(row + j);
    for (unsigned i = 0; i < 4; ++i) a.v[i] = j + i < p.keys ? a.v[i] * p.factor : -__uint_as_float(0x7f800000u);
    return a;
}

template <class T> __device__ inline void softmax(const Softmax& p) {
    const float* row = p.scores + static_cast<size_t>(blockIdx.x) * p.columns;
    T* out = static_cast<T*>(p.out) + static_cast<size_t>(blockIdx.x) * p.columns;
    const unsigned step = block_threads * 4, begin = threadIdx.x * 4;

    // The sum in one pass with the maximum: it is scaled anew whenever that grows.
    float most = -__uint_as_float(0x7f800000u), sum = 0.0f;
    for (unsigned j = begin; j < p.columns; j += step) {
        Four a = scores_at(p, row, j);
        const float here = fmaxf(fmaxf(a.v[0], a.v[1]), fmaxf(a.v[2], a.v[3]));
        if (here > most) {
            sum *= expf(most - here);
            most = here;
        }
        // Where no key has come yet there is nothing to subtract from.
        for (int i = 0; i < 4; ++i) sum += j < p.keys ? expf(a.v[i] - most) : 0.0f;
    }
    const float all = block_max(most, 0);
    const float share = 1.0f / block_sum(sum * expf(most - all), 1);
    for (unsigned j = begin; j < p.columns; j += step) {
        Four a = scores_at(p, row, j);
        for (int i = 0; i < 4; ++i) a.v[i] = expf(a.v[i] - all) * share;
        store_four(out + j, a);
    }
}

// Grid: ceil(places * channels / 2048), places being ((rows - 1) * stride + side) * ((out_width - 1) * stride +
// side). Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) patches_f32(Patches p) { patches<float>(p); }
extern "C" __global__ void __launch_bounds__(256) patches_bf16(Patches p) { patches<bf16>(p); }

// Grid: ceil(rows / slice), ceil(channels / 256). Dynamic shared memory: 16384 bytes.
extern "C" __global__ void __launch_bounds__(256) moments_f32(Moments p) {
    SHARED(float, sums);
    moments<float>(p, sums);
}
extern "C" __global__ void __launch_bounds__(256) moments_bf16(Moments p) {
    SHARED(float, sums);
    moments<bf16>(p, sums);
}

// Grid: groups. Dynamic shared memory: 3072 bytes.
extern "C" __global__ void __launch_bounds__(256) affine(Affine p) {
    SHARED(float, shared);
    Moment* joined = reinterpret_cast<Moment*>(shared);
    const unsigned each = p.channels / p.groups, first = blockIdx.x * each;
    const unsigned parts = (p.rows + p.slice - 1) / p.slice * each;
    Moment own = {0.0f, 0.0f, 0.0f};
    for (unsigned part = threadIdx.x; part < parts; part += block_threads) {
        const unsigned slice = part / each;
        const float* at = p.moments + static_cast<size_t>(slice) * 2 * p.channels + first + part % each;
        const unsigned count = min(p.slice, p.rows - slice * p.slice);
        own = join(own, {static_cast<float>(count), at[0], at[p.channels]});
    }
    joined[threadIdx.x] = own;
    for (unsigned half = block_threads / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) joined[threadIdx.x] = join(joined[threadIdx.x], joined[threadIdx.x + half]);
    }
    __syncthreads();
    const Moment all = joined[0];
    const float inverse = rsqrtf(all.square / all.count + p.eps);
    for (unsigned j = first + threadIdx.x; j < first + each; j += block_threads) {
        const float scale = p.weight[j] * inverse;
        p.scale[j] = scale;
        p.shift[j] = p.bias[j] - all.mean * scale;
    }
}

// Grid: ceil(rows * columns / 2048). Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) settle_f32(Settle p) { settle<float>(p); }
extern "C" __global__ void __launch_bounds__(256) settle_bf16(Settle p) { settle<bf16>(p); }

// Grid: ceil(rows / 256). Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) planes(Planes p) {
    const unsigned row = blockIdx.x * block_threads + threadIdx.x;
    if (row >= p.rows) return;
    for (unsigned plane = 0; plane < p.planes; ++plane)
        p.out[static_cast<size_t>(plane) * p.length + p.first + row] =
            p.y[static_cast<size_t>(row) * p.columns + plane] + p.bias[plane];
}

// Grid: rows. Dynamic shared memory: none.
extern "C" __global__ void __launch_bounds__(256) softmax_f32(Softmax p) { softmax<float>(p); }
extern "C" __global__ void __launch_bounds__(256) softmax_bf16(Softmax p) { softmax<bf16>(p); }
