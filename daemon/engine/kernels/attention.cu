// Attention in one pass over the keys, without the table of scores: FlashAttention-2 (Dao 2023, arXiv
// 2307.08691). Follows device.cuh and tensor.cuh; compiled for one -DHEAD_WIDTH: 16, 32, 64 or 128.
//
// A block has a tile of one head's queries and goes along the keys tile by tile. Tiles of keys and of values
// follow one another in a ring of stages of shared memory: key tile 0, value tile 0, key tile 1, ...

// q and out are [queries, heads * HEAD_WIDTH], k and v [keys, kv_heads * HEAD_WIDTH], less than 2^32 elements
// each; there is at least one key. heads is a multiple of kv_heads, of which head h reads
// h / (heads / kv_heads). If causal, query i sees keys 0 to i only. The softmax is of scale * q k, in f32;
// scale is positive.
struct Attend {
    const void* q;
    const void* k;
    const void* v;
    void* out;
    unsigned queries, keys, heads, kv_heads, causal;
    float scale;
};

// Keys in a tile of attend_bf16, and stages of its ring. Where a multiprocessor has 164 KB of shared memory,
// two blocks fit with these; where it has 100, two fit with 32 and 2, which the caller then asks for.
#ifndef ATTEND_KEYS
#define ATTEND_KEYS 64
#endif
#ifndef ATTEND_STAGES
#define ATTEND_STAGES 3
#endif

const unsigned head_width = HEAD_WIDTH;

// Of the loop that makes the scores: as far as each architecture's compiler gets by with 255 registers.
#if __CUDA_ARCH__ >= 900
const unsigned attend_unroll = 2;
#else
const unsigned attend_unroll = 4;
#endif

const float log2_e = 1.4426950408889634f;

__device__ inline float minus_infinity() { return __uint_as_float(0xff800000u); }

// Where a block works: its head, its first query, and how many keys its queries see together.
struct Span { unsigned head, kv_head, first, keys; };

// With a causal mask late queries have the most keys: they begin first.
__device__ inline Span attend_span(const Attend& p, unsigned queries) {
    unsigned tile = p.causal ? gridDim.x - 1 - blockIdx.x : blockIdx.x;
    unsigned head = blockIdx.y, first = tile * queries;
    return {head, head / (p.heads / p.kv_heads), first, p.causal ? min(p.keys, first + queries) : p.keys};
}

// How many keys a query sees.
__device__ inline unsigned keys_seen(const Attend& p, unsigned query) {
    return p.causal ? min(p.keys, query + 1) : p.keys;
}

// A ring of the block's key and value tiles, with the first of them under way.
template <class T, unsigned tile_keys, unsigned stages>
__device__ inline Ring<T, head_width, tile_keys, stages> attend_ring(const Attend& p, const Span& span,
                                                                     unsigned base) {
    return ring_begin<T, head_width, tile_keys, stages>(
        static_cast<const T*>(p.k), static_cast<const T*>(p.v), span.kv_head * head_width,
        p.kv_heads * head_width, span.keys, base);
}

// Begins to copy the block's queries to `to`. They belong to the first group that is closed.
template <class T, unsigned tile_queries>
__device__ inline void copy_queries(const Attend& p, const Span& span, unsigned to) {
    unsigned query = span.first + copied_row<T, head_width>(), stride = p.heads * head_width;
    const T* from = static_cast<const T*>(p.q) + static_cast<unsigned long long>(query) * stride
        + span.head * head_width + copied_column<T, head_width>();
    copy_rows<T, head_width, tile_queries>(to, from, stride, static_cast<int>(p.queries - query));
}

// bf16, summed in f32; the softmax's weights are rounded to bf16 for the product with v. Grid ceil(queries /
// 128) in x, heads in y; 128 threads; (128 + ATTEND_STAGES * ATTEND_KEYS) * HEAD_WIDTH * 2 bytes of dynamic
// shared memory: for a width of 128 81920, or 49152 with 32 and 2.
extern "C" __global__ void __launch_bounds__(tile_threads, 2) attend_bf16(Attend p) {
    SHARED(unsigned char, shared);
    const unsigned tile_queries = 128, tile_keys = ATTEND_KEYS, row_bytes = head_width * 2;
    unsigned base = shared_address(shared);
    Span span = attend_span(p, tile_queries);
    copy_queries<bf16, tile_queries>(p, span, base);
    auto ring = attend_ring<bf16, tile_keys, ATTEND_STAGES>(p, span, base + tile_queries * row_bytes);

    // A warp has 32 queries in two fragments, so that what it loads of keys and values serves two products.
    // Of a fragment a lane has a quarter of two rows, `half` 0 and 1.
    unsigned lane = threadIdx.x % warp_lanes, down = threadIdx.x / warp_lanes * 32;
    unsigned first_query = span.first + down, least_keys = keys_seen(p, first_query);
    // What each lane names to ldmatrix: matrices 0 to 3 are rows 0 and 8 in the first 16 bytes, then in the
    // second; of keys row 0 in both, then row 8. What goes into one product must lie in registers side by
    // side.
    unsigned lane_at = chunk_offset<row_bytes>(lane % 16, lane / 16 * 16), q = base + down * row_bytes;
    unsigned k_lane = chunk_offset<row_bytes>(lane / 16 * 8 + lane % 8, lane / 8 % 2 * 16);
    // `most` is a row's largest score so far times `factor`, which makes of e^(scale * score) a power of 2.
    float factor = p.scale * log2_e;
    float out[2][head_width / 8][4] = {}, most[2][2], total[2][2] = {};
    for (unsigned i = 0; i < 4; ++i) most[i / 2][i % 2] = minus_infinity();

    for (unsigned key = 0, tile = 0; key < span.keys; key += tile_keys, tile += 2) {
        ring_turn(ring, tile);
        float scores[2][tile_keys / 8][4] = {};
#pragma unroll attend_unroll
        for (unsigned step = 0; step < row_bytes; step += 32) {
            unsigned a[2][4], b[4];
#pragma unroll
            for (unsigned m = 0; m < 2; ++m)
                load_matrices(a[m], q + along(lane_at, step) + m * 16 * row_bytes);
#pragma unroll
            for (unsigned n = 0; n < tile_keys / 16; ++n) {
                load_matrices(b, ring.ready + along(k_lane, step) + n * 16 * row_bytes);
#pragma unroll
                for (unsigned m = 0; m < 2; ++m) {
                    multiply_fragments(bf16(), scores[m][2 * n], a[m], b[0], b[1]);
                    multiply_fragments(bf16(), scores[m][2 * n + 1], a[m], b[2], b[3]);
                }
            }
        }
        // The first tile holds key 0, which every query sees: from there on `most` is finite.
        if (key + tile_keys > least_keys)
#pragma unroll
            for (unsigned i = 0; i < tile_keys; ++i) {
                unsigned m = i % 2, half = i / 2 % 2, e = i / 4 % 2, n = i / 8;
                unsigned seen = keys_seen(p, first_query + m * 16 + half * 8 + lane / 4);
                int left = static_cast<int>(seen - key) - static_cast<int>(lane % 4 * 2);
                if (static_cast<int>(n * 8 + e) >= left) scores[m][n][2 * half + e] = minus_infinity();
            }

#pragma unroll
        for (unsigned i = 0; i < 4; ++i) {
            unsigned m = i / 2, half = i % 2;
            float top = scores[m][0][2 * half];
#pragma unroll
            for (unsigned n = 0; n < tile_keys / 8; ++n)
                top = fmaxf(top, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
            top = fmaxf(most[m][half], lanes_max<4>(top) * factor);
            float shrink = fast_exp2(most[m][half] - top);
            most[m][half] = top;
            total[m][half] *= shrink;
#pragma unroll
            for (unsigned d = 0; d < head_width / 4; ++d) out[m][d / 2][2 * half + d % 2] *= shrink;
        }

        // A fragment of scores, as products leave it, has the layout of half a fragment of the left side.
        ring_turn(ring, tile + 1);
#pragma unroll
        for (unsigned n = 0; n < tile_keys / 16; ++n) {
            unsigned weights[2][4];
#pragma unroll
            for (unsigned i = 0; i < 8; ++i) {
                unsigned m = i / 4, half = i % 2;
                const float* pair = &scores[m][2 * n + i / 2 % 2][2 * half];
                float left = fast_exp2(pair[0] * factor - most[m][half]);
                float right = fast_exp2(pair[1] * factor - most[m][half]);
                total[m][half] += left + right;
                weights[m][i % 4] = pack_bf16(left, right);
            }
#pragma unroll
            for (unsigned d = 0; d < head_width / 16; ++d) {
                unsigned b[4];
                load_matrices_transposed(b, ring.ready + along(lane_at, d * 32) + n * 16 * row_bytes);
#pragma unroll
                for (unsigned m = 0; m < 2; ++m) {
                    multiply_fragments(bf16(), out[m][2 * d], weights[m], b[0], b[1]);
                    multiply_fragments(bf16(), out[m][2 * d + 1], weights[m], b[2], b[3]);
                }
            }
        }
    }
    await_copies<0>();

#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
        unsigned m = i / 2, half = i % 2, query = first_query + m * 16 + half * 8 + lane / 4;
        float inverse = 1.0f / lanes_sum<4>(total[m][half]);
        bf16* row = static_cast<bf16*>(p.out) + (query * p.heads + span.head) * head_width;
#pragma unroll
        for (unsigned d = 0; d < head_width / 8; d += 4) {
            unsigned w[4];
#pragma unroll
            for (unsigned j = 0; j < 4; ++j) {
                // A width of 16 has two fragments, and two lanes of a quad nothing to store.
                unsigned n = d + j < head_width / 8 ? d + j : 0;
                w[j] = pack_bf16(out[m][n][2 * half] * inverse, out[m][n][2 * half + 1] * inverse);
            }
            transpose_quad(w);
            unsigned n = d + lane % 4;
            if (query < p.queries && n < head_width / 8) store_chunk(row + n * 8, w);
        }
    }
}

// f32 throughout. Grid ceil(queries / 64) in x, heads in y; 128 threads; 512 * HEAD_WIDTH + 8192 bytes of
// dynamic shared memory: 73728 for a width of 128.
extern "C" __global__ void __launch_bounds__(tile_threads, 2) attend_f32(Attend p) {
    SHARED(unsigned char, shared);
    const unsigned tile_queries = 64, tile_keys = 32, stages = 2;
    const unsigned row_bytes = head_width * 4, weight_bytes = tile_keys * 4;
    unsigned base = shared_address(shared);
    Span span = attend_span(p, tile_queries);
    copy_queries<float, tile_queries>(p, span, base);
    auto ring = attend_ring<float, tile_keys, stages>(p, span, base + tile_queries * row_bytes);

    // A thread has queries down + 16 i: with keys across + 8 j of the scores, then with every eighth vector
    // of columns of the result. The weights change hands through shared memory, in the eight lanes of a
    // query.
    unsigned across = threadIdx.x % 8, down = threadIdx.x / 8;
    const unsigned columns = head_width / 8, vector = columns < 4 ? columns : 4;
    unsigned char* weights = shared + (tile_queries + stages * tile_keys) * row_bytes;
    float factor = p.scale * log2_e;
    float out[4][columns] = {}, most[4], total[4] = {};
    for (unsigned i = 0; i < 4; ++i) most[i] = minus_infinity();

    for (unsigned key = 0, tile = 0; key < span.keys; key += tile_keys, tile += 2) {
        ring_turn(ring, tile);
        const unsigned char* k = shared + (ring.ready - base);
        float scores[4][4] = {};
#pragma unroll 4
        for (unsigned byte = 0; byte < row_bytes; byte += 16) {
            Floats<4> a[4], b[4];
#pragma unroll
            for (unsigned i = 0; i < 4; ++i) {
                a[i] = load_floats<4>(shared + chunk_offset<row_bytes>(down + 16 * i, byte));
                b[i] = load_floats<4>(k + chunk_offset<row_bytes>(across + 8 * i, byte));
            }
#pragma unroll
            for (unsigned i = 0; i < 64; ++i)
                scores[i / 4 % 4][i % 4] += a[i / 4 % 4].v[i / 16] * b[i % 4].v[i / 16];
        }

#pragma unroll
        for (unsigned i = 0; i < 4; ++i) {
            unsigned query = down + 16 * i, seen = keys_seen(p, span.first + query);
            float top = most[i];
#pragma unroll
            for (unsigned j = 0; j < 4; ++j) {
                if (key + across + 8 * j >= seen) scores[i][j] = minus_infinity();
                top = fmaxf(top, scores[i][j]);
            }
            top = lanes_max<8>(top);
            float shrink = exp2f((most[i] - top) * factor);
            most[i] = top;
            total[i] *= shrink;
#pragma unroll
            for (unsigned j = 0; j < columns; ++j) out[i][j] *= shrink;
#pragma unroll
            for (unsigned j = 0; j < 4; ++j) {
                unsigned byte = (across + 8 * j) * 4;
                unsigned char* to = weights + chunk_offset<weight_bytes>(query, byte / 16 * 16) + byte % 16;
                float weight = exp2f((scores[i][j] - top) * factor);
                total[i] += weight;
                *reinterpret_cast<float*>(to) = weight;
            }
        }

        // Its barrier also shows the weights to the other lanes.
        ring_turn(ring, tile + 1);
        const unsigned char* v = shared + (ring.ready - base);
#pragma unroll 2
        for (unsigned byte = 0; byte < weight_bytes; byte += 16) {
            Floats<4> w[4];
#pragma unroll
            for (unsigned i = 0; i < 4; ++i)
                w[i] = load_floats<4>(weights + chunk_offset<weight_bytes>(down + 16 * i, byte));
#pragma unroll
            for (unsigned e = 0; e < 4; ++e)
#pragma unroll
                for (unsigned j = 0; j < columns; j += vector) {
                    unsigned at = (j * 8 + across * vector) * 4, chunk = at / 16 * 16;
                    Floats<vector> some =
                        load_floats<vector>(v + chunk_offset<row_bytes>(byte / 4 + e, chunk) + at % 16);
#pragma unroll
                    for (unsigned i = 0; i < 4 * vector; ++i)
                        out[i / vector][j + i % vector] += w[i / vector].v[e] * some.v[i % vector];
                }
        }
    }
    await_copies<0>();

#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
        float inverse = 1.0f / lanes_sum<8>(total[i]);
        unsigned query = span.first + down + 16 * i;
        float* row = static_cast<float*>(p.out) + (query * p.heads + span.head) * head_width;
#pragma unroll
        for (unsigned j = 0; j < columns; j += vector) {
            Floats<vector> some;
#pragma unroll
            for (unsigned l = 0; l < vector; ++l) some.v[l] = out[i][j + l] * inverse;
            if (query < p.queries) *reinterpret_cast<Floats<vector>*>(row + j * 8 + across * vector) = some;
        }
    }
}
