// Products with weights: c[m, n] = a[m, k] b[n, k]^T, summed in f32. Follows device.cuh and tensor.cuh.
//
// A block makes 128 by 128 of c with four warps. It goes along k in steps of 64 bytes of both operands' rows,
// held in a ring of three stages of shared memory: 48 KB, so that two blocks fit on a multiprocessor of every
// card and one block's beginning and end hide behind the other's middle.

// k, lda and ldb are multiples of 16 bytes of a's element, n of 8, and the rows of c are aligned to 16 bytes.
struct Gemm {
    const void* a;
    const void* b;
    void* c;
    unsigned m, n, k, lda, ldb, ldc;
};

const unsigned gemm_tile = 128;      // rows of a and rows of b in a block
const unsigned gemm_row_bytes = 64;  // of each, in a stage
const unsigned gemm_stages = 3;
const unsigned gemm_tile_bytes = gemm_tile * gemm_row_bytes;
const unsigned gemm_stage_bytes = 2 * gemm_tile_bytes;

// The first row and column of this block's part of c. Blocks that run at the same time take a compact piece
// of c, bands of 16 tiles' rows column by column, so that what they read of a and b is found in the second
// cache.
struct Corner { unsigned row, column; };

__device__ inline Corner gemm_corner(const Gemm& g) {
    const unsigned band = 16;
    unsigned down = (g.m + gemm_tile - 1) / gemm_tile, across = (g.n + gemm_tile - 1) / gemm_tile;
    unsigned first = blockIdx.x / (band * across) * band, at = blockIdx.x % (band * across);
    unsigned height = min(down - first, band);
    return {(first + at % height) * gemm_tile, at / height * gemm_tile};
}

// The ring. Each thread copies one 16-byte chunk of rows 32 apart of both operands, stage after stage.
//
// The order that keeps it right: before step t's stage is read, each thread waits until all but its newest
// (gemm_stages - 2) groups have come, step t's among them; the barrier behind that makes everybody's part
// visible, and says that all have read the last of step t - 1. Only behind it is step t - 1's stage
// overwritten, by step t + gemm_stages - 1. Every step closes one group, past the end of k one of zeros, so
// the count stays true to the end.
struct Feed {
    const unsigned char* a;        // what this thread copies first of the next stage
    const unsigned char* b;
    unsigned a_stride, b_stride;   // bytes from a row to the next
    int a_left, b_left;            // rows from this thread's first to the last
    unsigned at, end;              // this thread's place in a row, and where k ends, in bytes
    unsigned base, stage;          // in shared memory: the ring, and the next stage in it
};

__device__ inline unsigned next_stage(unsigned stage) {
    return stage == (gemm_stages - 1) * gemm_stage_bytes ? 0 : stage + gemm_stage_bytes;
}

__device__ inline Feed gemm_feed(const Gemm& g, Corner corner, unsigned element, unsigned base) {
    unsigned row = copied_row<unsigned char, gemm_row_bytes>();
    unsigned long long a_row = corner.row + row, b_row = corner.column + row;
    Feed feed;
    feed.at = copied_column<unsigned char, gemm_row_bytes>();
    feed.a = static_cast<const unsigned char*>(g.a) + a_row * g.lda * element + feed.at;
    feed.b = static_cast<const unsigned char*>(g.b) + b_row * g.ldb * element + feed.at;
    feed.a_stride = g.lda * element;
    feed.b_stride = g.ldb * element;
    feed.a_left = static_cast<int>(g.m - corner.row - row);
    feed.b_left = static_cast<int>(g.n - corner.column - row);
    feed.end = g.k * element;
    feed.base = base;
    feed.stage = 0;
    return feed;
}

// What lies outside of the matrices is zero.
__device__ inline void feed_next(Feed& feed) {
    unsigned to = feed.base + feed.stage;
    bool inside = feed.at < feed.end;
    copy_rows<unsigned char, gemm_row_bytes, gemm_tile>(to, feed.a, feed.a_stride, inside ? feed.a_left : 0);
    copy_rows<unsigned char, gemm_row_bytes, gemm_tile>(to + gemm_tile_bytes, feed.b, feed.b_stride,
                                                        inside ? feed.b_left : 0);
    commit_copies();
    feed.a += gemm_row_bytes;
    feed.b += gemm_row_bytes;
    feed.at += gemm_row_bytes;
    feed.stage = next_stage(feed.stage);
}

// Stores one row's 64 columns of a warp, 16 bytes at a time, of sums that lie as multiply_fragments leaves
// them; `half` says which of the two rows of a fragment. `columns` is how many there are from `row` on. All
// lanes must come.
__device__ inline void store_sums(bf16* row, const float (&sums)[8][4], unsigned half, unsigned columns) {
    unsigned place = threadIdx.x % 4;
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
        unsigned w[4];
#pragma unroll
        for (unsigned i = 0; i < 4; ++i)
            w[i] = pack_bf16(sums[4 * j + i][2 * half], sums[4 * j + i][2 * half + 1]);
        transpose_quad(w);
        unsigned column = (4 * j + place) * 8;
        if (column < columns) store_chunk(row + column, w);
    }
}

__device__ inline void store_sums(float* row, const float (&sums)[8][4], unsigned half, unsigned columns) {
    unsigned place = threadIdx.x % 4;
    bool odd = place & 1;
#pragma unroll
    for (unsigned j = 0; j < 4; ++j) {
        unsigned w[4];
#pragma unroll
        for (unsigned i = 0; i < 2; ++i) {
            unsigned even_tile = __float_as_uint(sums[2 * j][2 * half + i]);
            unsigned odd_tile = __float_as_uint(sums[2 * j + 1][2 * half + i]);
            unsigned got = __shfl_xor_sync(WHOLE_WARP, odd ? even_tile : odd_tile, 1);
            w[i] = odd ? got : even_tile;
            w[2 + i] = odd ? odd_tile : got;
        }
        unsigned column = (2 * j + odd) * 8 + place / 2 * 4;
        if (column < columns) store_chunk(row + column, w);
    }
}

// What a warp multiplies at once: 64 rows of a and of b, 32 bytes of k.
struct Fragments { unsigned a[4][4], b[4][4]; };

__device__ inline void load_fragments(Fragments& to, unsigned a, unsigned b) {
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
        load_matrices(to.a[i], a + i * 16 * gemm_row_bytes);
        load_matrices(to.b[i], b + i * 16 * gemm_row_bytes);
    }
}

template <class In, class Out> __device__ inline void gemm_tensor(const Gemm& g, const void* shared) {
    Corner corner = gemm_corner(g);
    Feed feed = gemm_feed(g, corner, sizeof(In), shared_address(shared));

    // A warp's quarter of the tile, and the row and half of 32 bytes that each lane names to ldmatrix. Of a,
    // matrices 0 to 3 are rows 0 and 8 in the first half, then in the second; of b row 0 in both halves, then
    // row 8: what goes into one product must lie in registers side by side.
    unsigned lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
    unsigned down = warp / 2 * 64, across = warp % 2 * 64;
    unsigned a_lane = chunk_offset<gemm_row_bytes>(down + lane % 16, lane / 16 * 16);
    unsigned b_lane = chunk_offset<gemm_row_bytes>(across + lane / 16 * 8 + lane % 8, lane / 8 % 2 * 16);
    unsigned a_at = feed.base, b_at = feed.base + gemm_tile_bytes;

    float sums[4][8][4] = {};
    // While one half of a stage is multiplied, the next is loaded: the second half of this stage, or the
    // first of the next, for which alone the ring must have turned.
    Fragments halves[2];
    unsigned stage = 0;
    for (unsigned i = 0; i < gemm_stages - 1; ++i) feed_next(feed);
    await_copies<gemm_stages - 2>();
    __syncthreads();
    load_fragments(halves[0], a_at + a_lane, b_at + b_lane);
    for (unsigned at = 0; at < feed.end; at += gemm_row_bytes) {
#pragma unroll
        for (unsigned half = 0; half < 2; ++half) {
            if (half == 0) {
                load_fragments(halves[1], a_at + stage + (a_lane ^ 32), b_at + stage + (b_lane ^ 32));
                feed_next(feed);
            } else {
                await_copies<gemm_stages - 2>();
                __syncthreads();
                stage = next_stage(stage);
                load_fragments(halves[0], a_at + stage + a_lane, b_at + stage + b_lane);
            }
            const Fragments& f = halves[half];
#pragma unroll
            for (unsigned i = 0; i < 4; ++i)
#pragma unroll
                for (unsigned j = 0; j < 8; ++j)
                    multiply_fragments(In(), sums[i][j], f.a[i], f.b[j / 2][j % 2 * 2],
                                       f.b[j / 2][j % 2 * 2 + 1]);
        }
    }
    await_copies<0>();

    unsigned columns = corner.column + across < g.n ? g.n - corner.column - across : 0;
#pragma unroll
    for (unsigned i = 0; i < 4; ++i)
#pragma unroll
        for (unsigned half = 0; half < 2; ++half) {
            unsigned row = corner.row + down + i * 16 + half * 8 + lane / 4;
            Out* c = static_cast<Out*>(g.c) + static_cast<unsigned long long>(row) * g.ldc;
            store_sums(c + corner.column + across, sums[i], half, row < g.m ? columns : 0);
        }
}

// All of them: grid ceil(m / 128) * ceil(n / 128) in x, 128 threads, 49152 bytes of dynamic shared memory.

// bf16 times bf16, to bf16 or to f32.
extern "C" __global__ void __launch_bounds__(tile_threads, 2) gemm_bf16(Gemm g) {
    SHARED(unsigned char, shared);
    gemm_tensor<bf16, bf16>(g, shared);
}

extern "C" __global__ void __launch_bounds__(tile_threads, 2) gemm_bf16_f32(Gemm g) {
    SHARED(unsigned char, shared);
    gemm_tensor<bf16, float>(g, shared);
}

// e4m3 times e4m3 without any scale, to bf16: the reader multiplies the scales. From sm_89 on.
#if defined(EMULATED) || __CUDA_ARCH__ >= 890
extern "C" __global__ void __launch_bounds__(tile_threads, 2) gemm_e4m3(Gemm g) {
    SHARED(unsigned char, shared);
    gemm_tensor<e4m3, bf16>(g, shared);
}
#endif

// f32 times f32 to f32, by f32 multiply-adds in the order of k, never TF32.
extern "C" __global__ void __launch_bounds__(tile_threads, 2) gemm_f32(Gemm g) {
    SHARED(unsigned char, shared);
    Corner corner = gemm_corner(g);
    Feed feed = gemm_feed(g, corner, sizeof(float), shared_address(shared));

    // A thread has rows down + 16 i and columns across + 8 j. Eight lanes side by side read the same chunk of
    // a, and one chunk each of eight rows of b, which the swizzle spreads over all banks.
    unsigned across = threadIdx.x % 8, down = threadIdx.x / 8;
    float sums[8][16] = {};
    unsigned stage = 0;
    for (unsigned i = 0; i < gemm_stages - 1; ++i) feed_next(feed);
    for (unsigned at = 0; at < feed.end; at += gemm_row_bytes) {
        await_copies<gemm_stages - 2>();
        __syncthreads();
        feed_next(feed);
#pragma unroll 1
        for (unsigned chunk = 0; chunk < gemm_row_bytes; chunk += 16) {
            const unsigned char* a_at = shared + stage + chunk_offset<gemm_row_bytes>(down, chunk);
            const unsigned char* b_at = shared + stage + chunk_offset<gemm_row_bytes>(across, chunk)
                + gemm_tile_bytes;
            Floats<4> a[8];
#pragma unroll
            for (unsigned i = 0; i < 8; ++i) a[i] = load_floats<4>(a_at + i * 16 * gemm_row_bytes);
#pragma unroll
            for (unsigned j = 0; j < 16; ++j) {
                Floats<4> b = load_floats<4>(b_at + j * 8 * gemm_row_bytes);
#pragma unroll
                for (unsigned i = 0; i < 32; ++i) sums[i % 8][j] += a[i % 8].v[i / 8] * b.v[i / 8];
            }
        }
        stage = next_stage(stage);
    }
    await_copies<0>();

#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
        unsigned row = corner.row + down + 16 * i;
        float* c = static_cast<float*>(g.c) + static_cast<unsigned long long>(row) * g.ldc;
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) {
            unsigned w[4];
#pragma unroll
            for (unsigned l = 0; l < 4; ++l) w[l] = __float_as_uint(sums[i][4 * j + l]);
            transpose_quad(w);
            unsigned column = corner.column + (4 * j + across % 4) * 8 + across / 4 * 4;
            if (row < g.m && column < g.n) store_chunk(c + column, w);
        }
    }
}
