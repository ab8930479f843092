// What the products and the attention need of the tensor cores and of shared memory: tiles laid out without
// bank conflicts, copies that run beside the arithmetic, fragments, and the products of fragments. Follows
// device.cuh. The layouts of the fragments are those of the PTX ISA, "Matrix multiply-accumulate operation
// using mma instruction" (m16n8k16 for .bf16, m16n8k32 for .e4m3) and "ldmatrix".

// Threads of a block of the kernels that work on tiles.
const unsigned tile_threads = 128;

// A tile in shared memory has rows of `row_bytes`, a power of two from 32 up. What an 8 by 16 byte matrix of
// ldmatrix reads, one 16-byte chunk from each of 8 rows, would fall on the same banks in every row; so chunk
// c of row r lies where chunk c ^ (swizzle(r) / 16) would. The 8 chunks then cover the 128 bytes of the banks
// once.
template <unsigned row_bytes> __device__ inline unsigned swizzle(unsigned row) {
    constexpr unsigned chunks = row_bytes < 128 ? row_bytes / 16 : 8;
    return row / (8 / chunks) % chunks * 16;
}

// Offset in its tile of the chunk that holds byte `column` (a multiple of 16) of a row.
template <unsigned row_bytes> __device__ inline unsigned chunk_offset(unsigned row, unsigned column) {
    return row * row_bytes + (column ^ swizzle<row_bytes>(row));
}

// Where chunk_offset would find what lies `bytes`, a multiple of 32, behind chunk 0 or 1 of a row, which is
// at `at`.
__device__ inline unsigned along(unsigned at, unsigned bytes) {
    return (at ^ bytes % 128) + bytes / 128 * 128;
}

#ifdef EMULATED
#include "emulate/tensor.hpp"
#endif

// The address of something in dynamic shared memory, as the instructions below take it.
__device__ inline unsigned shared_address(const void* p) {
#ifdef EMULATED
    return static_cast<unsigned>(static_cast<const unsigned char*>(p) - emulate::dynamic_shared);
#else
    unsigned address;
    asm("{ .reg .u64 p; cvta.to.shared.u64 p, %1; cvt.u32.u64 %0, p; }" : "=r"(address) : "l"(p));
    return address;
#endif
}

// Begins to copy 16 bytes to shared memory, past the registers and the first cache. If not `inside`, writes
// zeros and never touches `from`. Rows are read in pieces, so the rest of a line of 128 bytes is asked for in
// advance.
__device__ inline void copy_chunk(unsigned to, const void* from, bool inside) {
#ifdef EMULATED
    emulate::hold(emulate::own_copies(), to, inside ? from : nullptr);
#else
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
                 :: "r"(to), "l"(from), "r"(inside ? 16u : 0u) : "memory");
#endif
}

// Closes this thread's group of copies; an empty group counts too.
__device__ inline void commit_copies() {
#ifdef EMULATED
    ++emulate::own_copies().group;
#else
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most `pending` of the newest groups of this thread are under way. Other threads' copies can
// be read only behind a barrier that follows.
template <unsigned pending> __device__ inline void await_copies() {
#ifdef EMULATED
    emulate::perform(emulate::own_copies(), pending);
#else
    asm volatile("cp.async.wait_group %0;" :: "n"(pending) : "memory");
#endif
}

// A block of tile_threads copies tiles whose rows have `width` elements, 16 bytes of a row in each thread and
// as many rows at once as come out. Here is the first of them that this thread copies: its row, and the
// element in it.
template <class T, unsigned width> __device__ inline unsigned copied_row() {
    return threadIdx.x * 16 / (width * sizeof(T));
}
template <class T, unsigned width> __device__ inline unsigned copied_column() {
    return threadIdx.x * (16 / sizeof(T)) % width;
}

// Begins to copy a tile of `rows` rows to shared memory. `from` is this thread's first 16 bytes and `stride`
// the elements from a row to the next; `left` rows further on, and from there, this thread's rows are zero.
template <class T, unsigned width, unsigned rows>
__device__ inline void copy_rows(unsigned to, const T* from, unsigned stride, int left) {
    constexpr unsigned row_bytes = width * sizeof(T), step = tile_threads * 16 / row_bytes;
    unsigned row = copied_row<T, width>(), byte = copied_column<T, width>() * sizeof(T);
#pragma unroll
    for (unsigned i = 0; i < rows; i += step)
        if (rows % step == 0 || row + i < rows)
            copy_chunk(to + chunk_offset<row_bytes>(row + i, byte), from + i * stride,
                       static_cast<int>(i) < left);
}

// Tiles of `rows` rows of two matrices by turns in a ring of stages in shared memory: tile number n is of
// `even` or of `odd`. The matrices have rows of the same number and stride.
//
// The order that keeps it right: before a tile is read, each thread waits until all but its newest (stages -
// 2) groups have come, the tile's among them; the barrier behind that makes everybody's part visible, and
// says that all have done with the tile before. Only behind it is that one's stage overwritten, by the tile
// that is (stages - 1) further on than the one to be read. Every turn closes one group, past the last row one
// of zeros, so the count stays true to the end, where await_copies<0>() is due.
template <class T, unsigned width, unsigned rows, unsigned stages> struct Ring {
    static constexpr unsigned tile_bytes = rows * width * sizeof(T);
    const T* even;
    const T* odd;
    unsigned stride;       // elements from a row to the next
    unsigned at;           // of what this thread copies first of the next tile, in elements
    int left;              // rows from there to the last
    unsigned base, ready;  // in shared memory: the ring, and the tile to be read
};

template <class T, unsigned width, unsigned rows, unsigned stages>
__device__ inline void ring_copy(Ring<T, width, rows, stages>& ring, unsigned tile, unsigned to) {
    copy_rows<T, width, rows>(to, (tile & 1 ? ring.odd : ring.even) + ring.at, ring.stride, ring.left);
    commit_copies();
    ring.at += tile & 1 ? rows * ring.stride : 0;
    ring.left -= tile & 1 ? rows : 0;
}

// Begins with the tiles that come before the first turn. A tile's rows begin at element `column` of the
// matrices' rows, of which there are `count`, in less than 2^32 elements.
template <class T, unsigned width, unsigned rows, unsigned stages>
__device__ inline Ring<T, width, rows, stages> ring_begin(const T* even, const T* odd, unsigned column,
                                                          unsigned stride, unsigned count, unsigned base) {
    unsigned row = copied_row<T, width>(), tile_bytes = Ring<T, width, rows, stages>::tile_bytes;
    Ring<T, width, rows, stages> ring = {
        even, odd, stride, row * stride + column + copied_column<T, width>(), static_cast<int>(count - row),
        base, base + (stages - 1) * tile_bytes};
    for (unsigned i = 0; i < stages - 1; ++i) ring_copy(ring, i, base + i * tile_bytes);
    return ring;
}

// Makes the next tile, number `tile`, the one that is ready.
template <class T, unsigned width, unsigned rows, unsigned stages>
__device__ inline void ring_turn(Ring<T, width, rows, stages>& ring, unsigned tile) {
    await_copies<stages - 2>();
    __syncthreads();
    unsigned before = ring.ready;
    ring.ready = before == ring.base + (stages - 1) * ring.tile_bytes ? ring.base : before + ring.tile_bytes;
    ring_copy(ring, tile + stages - 1, before);
}

// Four matrices of 8 rows of 16 bytes; lane i names row i % 8 of matrix i / 8. Word m of lane i is word i % 4
// of row i / 4 of matrix m.
__device__ inline void load_matrices(unsigned (&to)[4], unsigned at) {
#ifdef EMULATED
    const emulate::MatrixRow* rows = emulate::matrix_rows(at);
    unsigned lane = threadIdx.x % warp_lanes;
    for (unsigned m = 0; m < 4; ++m) memcpy(&to[m], rows[m * 8 + lane / 4].bytes + lane % 4 * 4, 4);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(at) : "memory");
#endif
}

// The same for 16-bit elements, transposed: word m of lane i is column i / 4 of rows 2 (i % 4) and one
// further of matrix m.
__device__ inline void load_matrices_transposed(unsigned (&to)[4], unsigned at) {
#ifdef EMULATED
    const emulate::MatrixRow* rows = emulate::matrix_rows(at);
    unsigned lane = threadIdx.x % warp_lanes;
    for (unsigned m = 0; m < 4; ++m) {
        unsigned short pair[2];
        for (unsigned i = 0; i < 2; ++i)
            memcpy(&pair[i], rows[m * 8 + lane % 4 * 2 + i].bytes + lane / 4 * 2, 2);
        to[m] = pair[0] | static_cast<unsigned>(pair[1]) << 16;
    }
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(at) : "memory");
#endif
}

// c[16, 8] += a[16, k] b[8, k]^T over the 32 bytes of k of one instruction. The first argument says the type
// only. Lane i holds of c: rows i / 4 (words 0, 1) and i / 4 + 8 (words 2, 3), columns 2 (i % 4) and one
// further.
__device__ inline void multiply_fragments(bf16, float (&c)[4], const unsigned (&a)[4], unsigned b0,
                                          unsigned b1) {
#ifdef EMULATED
    emulate::multiply<bf16>(c, a, b0, b1);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// From sm_89 on.
#if defined(EMULATED) || __CUDA_ARCH__ >= 890
#if __CUDA_ARCH__ >= 900 && __CUDA_ARCH__ < 1200
// The four e4m3 of a word as f16, which has them all exactly.
__device__ inline void widen_word(unsigned (&to)[2], unsigned word) {
    asm("{ .reg .b16 l, h; mov.b32 {l, h}, %2; cvt.rn.f16x2.e4m3x2 %0, l; cvt.rn.f16x2.e4m3x2 %1, h; }"
        : "=r"(to[0]), "=r"(to[1]) : "r"(word));
}

__device__ inline void multiply_f16(float (&c)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3,
                                    unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
#endif

__device__ inline void multiply_fragments(e4m3, float (&c)[4], const unsigned (&a)[4], unsigned b0,
                                          unsigned b1) {
#if __CUDA_ARCH__ >= 900 && __CUDA_ARCH__ < 1200
    // From sm_90 until sm_120 mma has no e4m3 (wgmma and tcgen05 do). The compiler would widen both sides to
    // f16 and add up beside the products, in more registers than there are. Here a word's four values of k
    // become two of the first eight and two of the last eight of one product, in a and b alike: the order in
    // a sum is free.
    unsigned wide[4][2], left[2], right[2];
    for (unsigned i = 0; i < 4; ++i) widen_word(wide[i], a[i]);
    widen_word(left, b0);
    widen_word(right, b1);
    multiply_f16(c, wide[0][0], wide[1][0], wide[0][1], wide[1][1], left[0], left[1]);
    multiply_f16(c, wide[2][0], wide[3][0], wide[2][1], wide[3][1], right[0], right[1]);
#else
    // Where there is e4m3, its sums keep some 14 bits and cut off the rest, at every instruction: over thousands
    // of k a sum would lose a percent, always towards zero (DeepSeek-V3's report, section 3.5.2, on Hopper;
    // SageAttention2's, on Ada). So an instruction adds up its own 32 products only, and f32 the instructions.
    float part[4] = {};
#ifdef EMULATED
    emulate::multiply<e4m3>(part, a, b0, b1);
#else
    asm("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(part[0]), "+f"(part[1]), "+f"(part[2]), "+f"(part[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
    for (unsigned i = 0; i < 4; ++i) c[i] += part[i];
#endif
}
#endif

// Transposes the 4 by 4 words of a quad of lanes: word j of lane i goes to word i of lane j. So four
// fragments' narrow pieces of a row become 16 bytes in one lane, which is what a store should be.
__device__ inline void transpose_quad(unsigned (&w)[4]) {
    bool odd = threadIdx.x & 1, upper = threadIdx.x & 2;
    unsigned first = __shfl_xor_sync(WHOLE_WARP, odd ? w[0] : w[1], 1);
    unsigned second = __shfl_xor_sync(WHOLE_WARP, odd ? w[2] : w[3], 1);
    w[0] = odd ? first : w[0];
    w[1] = odd ? w[1] : first;
    w[2] = odd ? second : w[2];
    w[3] = odd ? w[3] : second;
    first = __shfl_xor_sync(WHOLE_WARP, upper ? w[0] : w[2], 2);
    second = __shfl_xor_sync(WHOLE_WARP, upper ? w[1] : w[3], 2);
    w[0] = upper ? first : w[0];
    w[1] = upper ? second : w[1];
    w[2] = upper ? w[2] : first;
    w[3] = upper ? w[3] : second;
}

// Stores 16 bytes at once to device memory. Written out, because the compiler splits such a store where it
// likes.
__device__ inline void store_chunk(void* to, const unsigned (&w)[4]) {
#ifdef EMULATED
    memcpy(to, w, 16);
#else
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};"
                 :: "l"(to), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]) : "memory");
#endif
}

// The largest value, and the sum, of `lanes` lanes side by side, in each of them.
template <unsigned lanes> __device__ inline float lanes_max(float v) {
    for (unsigned apart = 1; apart < lanes; apart *= 2) v = fmaxf(v, __shfl_xor_sync(WHOLE_WARP, v, apart));
    return v;
}

template <unsigned lanes> __device__ inline float lanes_sum(float v) {
    for (unsigned apart = 1; apart < lanes; apart *= 2) v += __shfl_xor_sync(WHOLE_WARP, v, apart);
    return v;
}

// 2^x within two units in the last place of f32; 0 for minus infinity.
__device__ inline float fast_exp2(float x) {
#ifdef EMULATED
    return exp2f(x);
#else
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

// `count` floats side by side, moved at once.
template <unsigned count> struct alignas(4 * count) Floats { float v[count]; };

template <unsigned count> __device__ inline Floats<count> load_floats(const unsigned char* p) {
    return *reinterpret_cast<const Floats<count>*>(p);
}
