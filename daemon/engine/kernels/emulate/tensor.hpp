// Tensor cores and asynchronous copies for the emulator; tensor.cuh takes it where EMULATED is defined.
#pragma once

namespace emulate {

// A copy is held back until the thread waits for its group, and what it will overwrite is made NaN at once.
// So a kernel that reads a tile before it has come, or lets one come where somebody still reads, gives NaNs.
struct Copy { unsigned to; const void* from; unsigned group; };
struct Copies { unsigned block, first, count, group; Copy held[128]; };
static Copies copies[most_threads];
static unsigned long bank_conflicts;  // matrices of ldmatrix that met one

static inline Copies& own_copies() {
    Copies& own = copies[thread_index()];
    if (own.block != block_serial) {
        own.block = block_serial;
        own.first = own.count = own.group = 0;
    }
    return own;
}

static inline void hold(Copies& own, unsigned to, const void* from) {
    if (own.count == 128) fail("too many copies under way");
    if (to % 16 || to + 16 > most_shared) fail("a copy's target is not aligned, or outside");
    if (reinterpret_cast<size_t>(from) % 16) fail("a copy's source is not aligned");
    memset(dynamic_shared + to, 0xff, 16);
    own.held[(own.first + own.count++) % 128] = {to, from, own.group};
}

static inline void perform(Copies& own, unsigned pending) {
    for (; own.count && own.held[own.first % 128].group + pending < own.group; ++own.first, --own.count) {
        const Copy& copy = own.held[own.first % 128];
        if (copy.from) memcpy(dynamic_shared + copy.to, copy.from, 16);
        else memset(dynamic_shared + copy.to, 0, 16);
    }
}

// Whether the last block ended before all of its copies had come.
static inline bool copies_left() {
    for (const Copies& own : copies)
        if (own.block == block_serial && own.count) return true;
    return false;
}

// The eight row addresses of each matrix are in as many lanes; every lane reads the row it names, before
// anyone goes on.
struct MatrixRow { alignas(16) unsigned char bytes[16]; unsigned at; };

static inline const MatrixRow* matrix_rows(unsigned at) {
    if (at % 16 || at + 16 > most_shared) fail("an address of ldmatrix is not aligned, or outside");
    MatrixRow mine;
    memcpy(mine.bytes, dynamic_shared + at, 16);
    mine.at = at;
    const MatrixRow* rows = &warp_exchange(mine)[0];
    if (thread_index() % warp_size == 0)
        for (unsigned matrix = 0; matrix < 4; ++matrix) {
            unsigned banks = 0;
            for (unsigned i = 0; i < 8; ++i) banks |= 1u << rows[matrix * 8 + i].at / 16 % 8;
            bank_conflicts += banks != 0xff;
        }
    return rows;
}

// c += a*b where each lane brings `part` values of k of rows g and g + 8 of a and of column g of b (g is its
// quad), and takes rows g and g + 8, columns 2t and 2t + 1 (t is its place in the quad).
typedef float Part __attribute__((vector_size(16)));
template <unsigned part> struct Operands { Part low[part / 4], high[part / 4], column[part / 4]; };

template <unsigned part> static inline void multiply(float (&c)[4], const Operands<part>& mine) {
    const Operands<part>* all = warp_exchange(mine);
    unsigned lane = thread_index() % warp_size;
    const Operands<part>* row = all + lane / 4 * 4;
    const Operands<part>* column = all + lane % 4 * 8;
    Part sum[4] = {};
    for (unsigned t = 0; t < 4; ++t)
        for (unsigned i = 0; i < part / 4; ++i) {
            sum[0] += row[t].low[i] * column[t].column[i];
            sum[1] += row[t].low[i] * column[t + 4].column[i];
            sum[2] += row[t].high[i] * column[t].column[i];
            sum[3] += row[t].high[i] * column[t + 4].column[i];
        }
    for (unsigned i = 0; i < 4; ++i) c[i] += (sum[i][0] + sum[i][1]) + (sum[i][2] + sum[i][3]);
}

// What a tensor core keeps of a sum of products of these: all of it, or, where CUT_SUMS is defined, 14 bits of one of
// 8-bit products, with the one before the point, as Ada's do.
static inline float kept(float sum, bf16) { return sum; }
static inline float kept(float sum, e4m3) {
#ifdef CUT_SUMS
    return __uint_as_float(__float_as_uint(sum) & ~0x3ffu);
#else
    return sum;
#endif
}

static inline void widen(float* to, unsigned word, bf16) {
    to[0] = __uint_as_float(word << 16);
    to[1] = __uint_as_float(word & 0xffff0000u);
}

static inline void widen(float* to, unsigned word, e4m3) {
    static float values[256];
    if (values[1] == 0.0f)
        for (unsigned i = 0; i < 256; ++i) values[i] = unpack_e4m3(i).x;
    for (unsigned i = 0; i < 4; ++i) to[i] = values[word >> (8 * i) & 0xff];
}

// In the ISA's layouts words 0 and 2 of a (row g), and 1 and 3 (row g + 8), stand for the same values of k as
// words 0 and 1 of b.
template <class T>
static inline void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    constexpr unsigned in_word = 4 / sizeof(T);
    Operands<2 * in_word> mine;
    float* low = reinterpret_cast<float*>(mine.low);
    float* high = reinterpret_cast<float*>(mine.high);
    float* column = reinterpret_cast<float*>(mine.column);
    widen(low, a[0], T());
    widen(high, a[1], T());
    widen(low + in_word, a[2], T());
    widen(high + in_word, a[3], T());
    widen(column, b0, T());
    widen(column + in_word, b1, T());
    multiply(c, mine);
    for (unsigned i = 0; i < 4; ++i) c[i] = kept(c[i], T());
}

}  // namespace emulate
