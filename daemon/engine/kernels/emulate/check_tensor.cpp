// Tests the products and the attention in the emulator against plain double precision, on random operands.
//
//   g++ -O2 -std=c++17 -ffp-contract=off -Wall -Wno-unknown-pragmas check_tensor.cpp -o check_tensor
//   ./check_tensor
//
// Every case runs with threads in order and in a random order, and its output lies between guards. Prints the
// relative L2 error of each case; ends with 1 if one is too large.
#define CUT_SUMS
#include "emulate.hpp"

#include "../device.cuh"
#include "../tensor.cuh"

#include "../gemm.cu"

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
#define attend_f32 JOIN(attend_f32_, ATTEND_NAME)
#define attend_bf16 JOIN(attend_bf16_, ATTEND_NAME)
#define HEAD_WIDTH 16
#define ATTEND_NAME 16
namespace heads_of_16 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#undef ATTEND_NAME
#define HEAD_WIDTH 32
#define ATTEND_NAME 32
namespace heads_of_32 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#undef ATTEND_NAME
#define HEAD_WIDTH 64
#define ATTEND_NAME 64
namespace heads_of_64 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#undef ATTEND_NAME
#define HEAD_WIDTH 128
#define ATTEND_NAME 128
namespace heads_of_128 {
#include "../attention.cu"
}
// The smaller tiles and the shorter ring, which cards with little shared memory take, at the extremes of
// width.
#undef ATTEND_KEYS
#undef ATTEND_STAGES
#undef ATTEND_NAME
#define ATTEND_KEYS 32
#define ATTEND_STAGES 2
#define ATTEND_NAME 128_small
namespace small_tiles_of_128 {
#include "../attention.cu"
}
#undef HEAD_WIDTH
#undef ATTEND_NAME
#define HEAD_WIDTH 16
#define ATTEND_NAME 16_small
namespace small_tiles_of_16 {
#include "../attention.cu"
}

#include <random>
#include <vector>

static std::mt19937 random_bits(20260101);
static int failures = 0;

static float uniform() { return static_cast<float>(random_bits()) / 2147483648.0f - 1.0f; }

static void convert(float& to, float v) { to = v; }
static void convert(bf16& to, float v) { to = to_bf16(v); }
static void convert(e4m3& to, float v) { to = static_cast<e4m3>(pack_e4m3(v, 0.0f)); }
static double value(float v) { return v; }
static double value(bf16 v) { return to_float(v); }
static double value(e4m3 v) { return unpack_e4m3(v).x; }

// A matrix whose rows lie `stride` apart, aligned to 16 bytes. What lies between rows and behind the last is
// NaN.
template <class T> struct Matrix {
    unsigned rows, columns, stride;
    std::vector<float4> memory;

    Matrix(unsigned r, unsigned c, unsigned s)
        : rows(r), columns(c), stride(s), memory(r * s * sizeof(T) / 16 + 4) {
        memset(memory.data(), 0xff, memory.size() * 16);
    }
    T* data() { return reinterpret_cast<T*>(memory.data()); }
    T& at(unsigned i, unsigned j) { return data()[i * stride + j]; }
    void fill(float size) {
        for (unsigned i = 0; i < rows; ++i)
            for (unsigned j = 0; j < columns; ++j) convert(at(i, j), size * uniform());
    }
    bool untouched_outside() {
        const unsigned char* bytes = reinterpret_cast<const unsigned char*>(memory.data());
        for (size_t i = 0; i < memory.size() * 16; ++i) {
            size_t element = i / sizeof(T);
            bool inside = element / stride < rows && element % stride < columns;
            if (!inside && bytes[i] != 0xff) return false;
        }
        return true;
    }
};

// Runs a kernel in two orders of threads and compares each result with `right`, row after row.
template <class Out, class Args>
static void check(const char* what, Matrix<Out>& out, const std::vector<double>& right, double most,
                  uint3 grid, unsigned shared, void (*kernel)(const void*), const Args& args) {
    for (unsigned seed : {0u, 7u}) {
        memset(out.memory.data(), 0xff, out.memory.size() * 16);
        emulate::shuffle(seed);
        emulate::bank_conflicts = 0;
        const char* problem = emulate::launch(grid, tile_threads, shared, kernel, &args);
        double wrong = 0, size = 0;
        for (unsigned i = 0; i < out.rows; ++i)
            for (unsigned j = 0; j < out.columns; ++j) {
                double want = right[static_cast<size_t>(i) * out.columns + j];
                double apart = value(out.at(i, j)) - want;
                wrong += apart * apart;
                size += want * want;
            }
        double error = sqrt(wrong / size);
        if (!problem && !(error <= most)) problem = "too far from the right result";
        if (!problem && !out.untouched_outside()) problem = "wrote outside of its result";
        if (!problem && emulate::bank_conflicts) problem = "ldmatrix met bank conflicts";
        if (!problem && emulate::copies_left()) problem = "a block ended before its copies";
        failures += problem != nullptr;
        printf("%s, seed %u: %.2e%s%s\n", what, seed, error, problem ? " WRONG: " : "",
               problem ? problem : "");
    }
}

template <class Args, void (*kernel)(Args)> static void run(const void* args) {
    kernel(*static_cast<const Args*>(args));
}

template <class In, class Out, void (*kernel)(Gemm)>
static void check_gemm(const char* name, unsigned m, unsigned n, unsigned k, double most) {
    const unsigned pad = 16 / sizeof(In);
    Matrix<In> a(m, k, k + pad), b(n, k, k + 2 * pad);
    Matrix<Out> c(m, n, n + 8);
    a.fill(2.0f);
    b.fill(2.0f);
    std::vector<double> right(static_cast<size_t>(m) * n), a_values(k), b_values(static_cast<size_t>(n) * k);
    for (unsigned j = 0; j < n; ++j)
        for (unsigned l = 0; l < k; ++l) b_values[static_cast<size_t>(j) * k + l] = value(b.at(j, l));
    for (unsigned i = 0; i < m; ++i) {
        for (unsigned l = 0; l < k; ++l) a_values[l] = value(a.at(i, l));
        for (unsigned j = 0; j < n; ++j) {
            double sum = 0;
            for (unsigned l = 0; l < k; ++l) sum += a_values[l] * b_values[static_cast<size_t>(j) * k + l];
            right[static_cast<size_t>(i) * n + j] = sum;
        }
    }
    Gemm args = {a.data(), b.data(), c.data(), m, n, k, a.stride, b.stride, c.stride};
    char what[80];
    snprintf(what, sizeof what, "%s %u %u %u", name, m, n, k);
    unsigned blocks = (m + 127) / 128 * ((n + 127) / 128);
    check(what, c, right, most, {blocks, 1, 1}, 49152, run<Gemm, kernel>, args);
}

struct Case { unsigned queries, keys, heads, kv_heads, causal; };

template <class T, class Attend, void (*kernel)(Attend)>
static void check_attend(const char* name, unsigned width, Case of, unsigned tile, unsigned shared,
                         double most) {
    const unsigned columns = of.heads * width, kv_columns = of.kv_heads * width;
    Matrix<T> q(of.queries, columns, columns), out(of.queries, columns, columns);
    Matrix<T> k(of.keys, kv_columns, kv_columns), v(of.keys, kv_columns, kv_columns);
    // The scores have a deviation of 4 / 3, as those of normalised queries and keys.
    q.fill(2.0f);
    k.fill(2.0f);
    v.fill(1.0f);
    float scale = 1.0f / sqrtf(static_cast<float>(width));
    std::vector<double> right(static_cast<size_t>(of.queries) * columns), weights(of.keys);
    for (unsigned head = 0; head < of.heads; ++head)
        for (unsigned i = 0; i < of.queries; ++i) {
            unsigned kv = head / (of.heads / of.kv_heads);
            unsigned seen = of.causal && i + 1 < of.keys ? i + 1 : of.keys;
            double top = -1e300, total = 0;
            for (unsigned j = 0; j < seen; ++j) {
                weights[j] = 0;
                for (unsigned d = 0; d < width; ++d)
                    weights[j] += value(q.at(i, head * width + d)) * value(k.at(j, kv * width + d));
                weights[j] *= scale;
                top = weights[j] > top ? weights[j] : top;
            }
            for (unsigned j = 0; j < seen; ++j) total += weights[j] = exp(weights[j] - top);
            for (unsigned d = 0; d < width; ++d) {
                double sum = 0;
                for (unsigned j = 0; j < seen; ++j) sum += weights[j] * value(v.at(j, kv * width + d));
                right[static_cast<size_t>(i) * columns + head * width + d] = sum / total;
            }
        }
    Attend args = {q.data(), k.data(), v.data(), out.data(), of.queries, of.keys, of.heads, of.kv_heads,
                   of.causal, scale};
    char what[120];
    snprintf(what, sizeof what, "%s width %u, %u queries, %u keys, heads %u/%u%s", name, width, of.queries,
             of.keys, of.heads, of.kv_heads, of.causal ? ", causal" : "");
    uint3 grid = {(of.queries + tile - 1) / tile, of.heads, 1};
    check(what, out, right, most, grid, shared, run<Attend, kernel>, args);
}

#define CHECK_WIDTH(width)                                                                   \
    for (const Case& of : cases) {                                                           \
        check_attend<bf16, heads_of_##width::Attend, heads_of_##width::attend_bf16_##width>( \
            "attend_bf16", width, of, 128, (128 + 3 * 64) * width * 2, 4e-3);                \
        check_attend<float, heads_of_##width::Attend, heads_of_##width::attend_f32_##width>( \
            "attend_f32", width, of, 64, 512 * width + 8192, 1e-6);                          \
    }

#define CHECK_SMALL(width)                                                                 \
    for (const Case& of : cases)                                                           \
        check_attend<bf16, small_tiles_of_##width::Attend,                                 \
                     small_tiles_of_##width::attend_bf16_##width##_small>(                 \
            "attend_bf16 small tiles", width, of, 128, (128 + 2 * 32) * width * 2, 4e-3);

int main() {
    const unsigned shapes[][3] = {{1, 8, 16},     {7, 24, 32},     {128, 128, 64},  {130, 264, 96},
                                  {528, 768, 256}, {129, 136, 16},  {64, 2056, 48},  {2180, 136, 80}};
    for (auto& s : shapes) {
        check_gemm<float, float, gemm_f32>("gemm_f32", s[0], s[1], s[2], 1e-6);
        check_gemm<bf16, bf16, gemm_bf16>("gemm_bf16", s[0], s[1], s[2], 4e-3);
        check_gemm<bf16, float, gemm_bf16_f32>("gemm_bf16_f32", s[0], s[1], s[2], 1e-6);
        check_gemm<e4m3, bf16, gemm_e4m3>("gemm_e4m3", s[0], s[1], s[2], 4e-3);
    }
    // Lengths that end within a chunk of four floats or of eight halves are not among the legal ones; these
    // end within the 32 bytes of an instruction and within a stage.
    check_gemm<float, float, gemm_f32>("gemm_f32", 40, 40, 20, 1e-6);
    check_gemm<bf16, bf16, gemm_bf16>("gemm_bf16", 40, 40, 40, 4e-3);
    check_gemm<bf16, float, gemm_bf16_f32>("gemm_bf16_f32", 40, 40, 104, 1e-6);
    check_gemm<e4m3, bf16, gemm_e4m3>("gemm_e4m3", 40, 40, 144, 4e-3);
    // As long as a feed-forward is wide: what an instruction cuts off must not add up.
    check_gemm<e4m3, bf16, gemm_e4m3>("gemm_e4m3", 16, 16, 12288, 4e-3);

    const Case cases[] = {{1, 1, 1, 1, 0},     {65, 65, 2, 1, 1},   {130, 130, 4, 2, 1}, {70, 130, 4, 2, 0},
                          {33, 1, 2, 2, 0},    {200, 64, 2, 2, 1},  {5, 528, 4, 4, 0},   {528, 528, 1, 1, 1},
                          {17, 97, 3, 1, 0},   {129, 128, 1, 1, 0}};
    CHECK_WIDTH(16)
    CHECK_WIDTH(32)
    CHECK_WIDTH(64)
    CHECK_WIDTH(128)
    CHECK_SMALL(16)
    CHECK_SMALL(128)
    printf("%s\n", failures ? "FAILED" : "all right");
    return failures != 0;
}
