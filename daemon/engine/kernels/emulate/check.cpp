// Checks the kernels for rows, heads and vectors in the emulator, on random operands, against plain
// arithmetic in double precision. Ends with 1 where one fails.
//
//   g++ -O2 -std=c++17 -ffp-contract=off -Wall -Wno-unknown-pragmas check.cpp -o /tmp/check && /tmp/check
#include "check.hpp"

using namespace check;

namespace {

double plain_silu(double x) { return x / (1 + exp(-x)); }

template <class T> double at(const Fenced<T>& of, size_t i, double absent) {
    return of.present() ? exact(of[i]) : absent;
}

enum Given : unsigned {
    update = 1, gate = 2, rows_scaled = 4, cols_scaled = 8, output = 16, fixed = 32, affine = 64
};

template <class Raw, class Out>
void norm(const char* kernel, unsigned rows, unsigned width, bool rms, unsigned given) {
    std::string what = text(rows) + " x " + text(width) + " given " + text(given);
    size_t size = size_t(rows) * width;
    Fenced<float> x(size), row_scales(rows, !(given & rows_scaled)),
        col_scales(width, !(given & cols_scaled)), gates(width, !(given & gate)),
        shift(width, !(given & affine)), scale(width, !(given & affine)), weight(width, !rms),
        out_scales(rows);
    Fenced<Raw> y(size, !(given & update));
    Fenced<Out> out(size, !(given & output));
    fill(x, -1, 2);
    fill(y, -1, 1);
    fill(row_scales, 0.1, 1);
    fill(col_scales, 0.1, 2);
    for (auto* of : {&gates, &shift, &scale}) fill(*of, -1, 1);
    fill(weight, 0.5, 2);
    // One row of zeros: its variance is nothing, and its largest magnitude too where no shift is given.
    if (rows > 1)
        for (unsigned j = 0; j < width; ++j) x[width + j] = 0, y[width + j] = 0;
    float eps = 1e-6f, fixed_scale = given & fixed ? 0.011f : 0.0f;

    std::vector<double> new_x(size), wanted(size);
    for (size_t i = 0; i < rows; ++i) {
        double sum = 0, squares = 0;
        for (size_t j = 0; j < width; ++j) {
            double v = x[i * width + j];
            if (y.present())
                v += at(gates, j, 1) * exact(y[i * width + j]) * at(row_scales, i, 1) * at(col_scales, j, 1);
            new_x[i * width + j] = v;
            sum += v;
        }
        double mean = rms ? 0 : sum / width;
        for (size_t j = 0; j < width; ++j) squares += pow(new_x[i * width + j] - mean, 2);
        for (size_t j = 0; j < width; ++j) {
            double n = (new_x[i * width + j] - mean) / sqrt(squares / width + eps);
            wanted[i * width + j] = rms ? n * weight[j] : n * (1 + at(scale, j, 0)) + at(shift, j, 0);
        }
    }
    Norm args = {x.pointer(), y.pointer(), row_scales.pointer(), col_scales.pointer(), gates.pointer(),
                 shift.pointer(), scale.pointer(), weight.pointer(), out.pointer(), out_scales.pointer(),
                 rows, width, eps, fixed_scale};
    launch(kernel, rows, out.present() ? width * 4 : 0, args, {bytes(x), bytes(out), bytes(out_scales)});
    expect(x.marks_kept() && out.marks_kept() && out_scales.marks_kept(), what + ": written beyond");
    compare("norm x", what, 1e-6, widened(x), new_x);
    if (!out.present())
        expect(out.untouched(), what + ": wrote an output that was not asked for");
    else if constexpr (sizeof(Out) == 1)
        compare_rows(kernel, what, out, out_scales, wanted, fixed_scale);
    else
        compare(kernel, what, limit_of<Out>(), widened(out), wanted);
}

template <class Raw, class Out>
void gated(const char* kernel, unsigned rows, unsigned front_width, unsigned inner, unsigned given) {
    std::string what = text(rows) + " x " + text(front_width) + " + " + text(inner) + " given " + text(given);
    unsigned width = front_width + inner, gate_col = 24, value_col = gate_col + inner + 8,
             stride = value_col + inner + 16;
    Fenced<Raw> front(size_t(rows) * front_width, front_width == 0), y(size_t(rows) * stride);
    Fenced<float> row_scales(rows, !(given & rows_scaled)), col_scales(stride, !(given & cols_scaled)),
        out_scales(rows);
    Fenced<Out> out(size_t(rows) * width);
    fill(front, -1, 1);
    fill(y, -4, 4);
    fill(row_scales, 0.5, 1.5);
    fill(col_scales, 0.5, 1.5);
    if (rows > 1) {
        for (unsigned j = 0; j < front_width; ++j) front[front_width + j] = 0;
        for (unsigned j = 0; j < stride; ++j) y[stride + j] = 0;
    }
    float fixed_scale = given & fixed ? 0.2f : 0.0f;

    std::vector<double> wanted(size_t(rows) * width);
    for (size_t i = 0; i < rows; ++i) {
        auto of_y = [&](size_t j) {
            return exact(y[i * stride + j]) * at(row_scales, i, 1) * at(col_scales, j, 1);
        };
        for (size_t j = 0; j < front_width; ++j) wanted[i * width + j] = exact(front[i * front_width + j]);
        for (size_t j = 0; j < inner; ++j)
            wanted[i * width + front_width + j] = plain_silu(of_y(gate_col + j)) * of_y(value_col + j);
    }
    Gated args = {front.pointer(), y.pointer(), row_scales.pointer(), col_scales.pointer(), out.pointer(),
                  out_scales.pointer(), rows, front_width, inner, stride, gate_col, value_col, fixed_scale};
    launch(kernel, rows, sizeof(Out) == 1 ? width * 4 : 0, args, {bytes(out), bytes(out_scales)});
    expect(out.marks_kept() && out_scales.marks_kept(), what + ": written beyond");
    if constexpr (sizeof(Out) == 1)
        compare_rows(kernel, what, out, out_scales, wanted, fixed_scale);
    else
        compare(kernel, what, limit_of<Out>(), widened(out), wanted);
}

template <class T>
void heads(const char* kernel, unsigned rows, unsigned q_heads, unsigned kv_heads, unsigned width,
           unsigned halves, bool normed, unsigned given) {
    std::string what = text(rows) + " rows, " + text(q_heads) + " and " + text(kv_heads) + " heads of " +
                       text(width) + (halves ? " halves" : " pairs");
    unsigned q_col = 8, k_col = q_col + q_heads * width + 8, v_col = k_col + kv_heads * width;
    unsigned stride = v_col + kv_heads * width + 8;
    Fenced<T> y(size_t(rows) * stride), q(size_t(rows) * q_heads * width), k(size_t(rows) * kv_heads * width),
        v(k.size());
    Fenced<float> row_scales(rows, !(given & rows_scaled)), col_scales(stride, !(given & cols_scaled)),
        q_norm(width, !normed), k_norm(width, !normed), cosines(size_t(rows) * width / 2),
        sines(cosines.size());
    fill(y, -2, 2);
    fill(row_scales, 0.1, 1.5);
    fill(col_scales, 0.1, 1.5);
    fill(q_norm, 0.5, 1.5);
    fill(k_norm, 0.5, 1.5);
    for (size_t i = 0; i < cosines.size(); ++i) {
        double angle = random(-9, 9);
        cosines[i] = float(cos(angle)), sines[i] = float(sin(angle));
    }
    auto reference = [&](unsigned count, unsigned column, const Fenced<float>& weight, bool norms,
                         bool turns) {
        std::vector<double> to(size_t(rows) * count * width);
        for (size_t i = 0; i < rows; ++i)
            for (size_t h = 0; h < count; ++h) {
                std::vector<double> n(width);
                double squares = 0;
                for (size_t j = 0; j < width; ++j) {
                    size_t c = column + h * width + j;
                    n[j] = exact(y[i * stride + c]) * at(row_scales, i, 1) * at(col_scales, c, 1);
                    squares += n[j] * n[j];
                }
                for (size_t j = 0; j < width && norms; ++j) n[j] *= weight[j] / sqrt(squares / width + 1e-6f);
                for (size_t a = 0; a < width / 2 && turns; ++a) {
                    double &one = n[halves ? a : 2 * a], &other = n[halves ? a + width / 2 : 2 * a + 1],
                           was = one;
                    double c = cosines[i * (width / 2) + a], s = sines[i * (width / 2) + a];
                    one = was * c - other * s;
                    other = was * s + other * c;
                }
                std::copy(n.begin(), n.end(), to.begin() + (i * count + h) * width);
            }
        return to;
    };
    Heads args = {y.pointer(), row_scales.pointer(), col_scales.pointer(), q_norm.pointer(), k_norm.pointer(),
                  cosines.pointer(), sines.pointer(), q.pointer(), k.pointer(), v.pointer(), rows, q_heads,
                  kv_heads, width, stride, q_col, k_col, v_col, halves, 1e-6f};
    launch(kernel, (rows * (q_heads + 2 * kv_heads) + 7) / 8, 0, args, {bytes(q), bytes(k), bytes(v)});
    expect(q.marks_kept() && k.marks_kept() && v.marks_kept(), what + ": written beyond");
    compare(kernel, what + " q", limit_of<T>(), widened(q), reference(q_heads, q_col, q_norm, normed, true));
    compare(kernel, what + " k", limit_of<T>(), widened(k), reference(kv_heads, k_col, k_norm, normed, true));
    compare(kernel, what + " v", limit_of<T>(), widened(v), reference(kv_heads, v_col, k_norm, false, false));
}

template <class W>
void matvec(const char* kernel, unsigned rows, unsigned width, unsigned silu, unsigned add, bool scaled) {
    std::string what = text(rows) + " x " + text(width);
    Fenced<W> w(size_t(rows) * width);
    Fenced<float> scales(rows, !scaled), x(width), out(rows);
    fill(w, -3, 3);
    fill(scales, 0.1, 1);
    fill(x, -2, 3);
    fill(out, -1, 1);
    std::vector<double> wanted(rows);
    for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < width; ++j)
            wanted[i] += exact(w[i * width + j]) * (silu ? plain_silu(x[j]) : x[j]);
        wanted[i] = wanted[i] * at(scales, i, 1) + (add ? out[i] : 0);
    }
    Matvec args = {w.pointer(), scales.pointer(), x.pointer(), out.pointer(), rows, width, silu, add};
    launch(kernel, (rows + 7) / 8, 0, args, {bytes(out)});
    expect(out.marks_kept(), what + ": written beyond");
    compare(kernel, what, 1e-6, widened(out), wanted);
}

void decode(unsigned rows, unsigned width, bool scaled) {
    Fenced<e4m3> w(size_t(rows) * width);
    Fenced<float> scales(rows, !scaled);
    Fenced<bf16> out(w.size());
    fill(w, -448, 448);
    fill(scales, 0.001, 0.1);
    std::vector<double> wanted(w.size());
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = exact(w[i]) * at(scales, i / width, 1);
    Decode args = {w.pointer(), scales.pointer(), out.pointer(), rows, width};
    launch("decode_e4m3", unsigned((w.size() + 2047) / 2048), 0, args, {bytes(out)});
    expect(out.marks_kept(), "decode_e4m3: written beyond");
    compare("decode_e4m3", text(rows), scaled ? 3e-3 : 0, widened(out), wanted);
    outcomes["decode_e4m3"].limit = 3e-3;
}

// Conversions, element by element: every code, ties, saturation and subnormal numbers among them.
void conversions() {
    for (int code = 0; code < 256; ++code) {
        float2 got = unpack_e4m3(unsigned(code) << 8 | unsigned(255 - code));
        bool nan = code % 128 == 127, other_nan = (255 - code) % 128 == 127;
        expect(nan ? got.y != got.y : got.y == exact(e4m3(code)), "unpack_e4m3 high " + text(code));
        expect(other_nan ? got.x != got.x : got.x == exact(e4m3(255 - code)), "unpack_e4m3 low");
        if (code >= 126) continue;
        double low = exact(e4m3(code)), high = exact(e4m3(code + 1));
        for (float v : {float(low), float((low + high) / 2), nextafterf(float((low + high) / 2), 0),
                        nextafterf(float((low + high) / 2), 500)})
            expect(pack_e4m3(v, -v) == (nearest_e4m3(v) | unsigned(nearest_e4m3(-v)) << 8),
                   "pack_e4m3 near " + text(v));
    }
    expect(pack_e4m3(INFINITY, -1e9f) == 0xfe7e && pack_e4m3(NAN, 464.0f) == 0x7e7f,
           "pack_e4m3 beyond the range");
    for (int i = 0; i < 100000; ++i) {
        float v = float(random(-1, 1) * exp2(random(-14, 10)));
        expect(soft_e4m3(v) == nearest_e4m3(v), "soft_e4m3 of " + text(v));
        unsigned bits = __float_as_uint(v), down = bits >> 16;
        double low = exact(bf16(down)), high = exact(bf16(down + 1)), middle = (low + high) / 2;
        unsigned wanted = fabs(v) < fabs(middle) || (v == middle && down % 2 == 0) ? down : down + 1;
        expect(pack_bf16(v, float(middle)) == (wanted | (down + down % 2) << 16), "pack_bf16 of " + text(v));
    }
    expect(to_bf16(NAN) == 0x7fff && to_bf16(3.4e38f) == 0x7f80 && to_bf16(-INFINITY) == 0xff80,
           "to_bf16 at the ends");
}

template <class Raw, class Out> void rows_of(const char* norm_kernel, const char* gated_kernel) {
    const unsigned all = update | gate | rows_scaled | cols_scaled | output | affine;
    for (bool rms : {false, true}) {
        for (unsigned given : {all, all | fixed, all & ~affine, all & ~gate, update | output, output | affine,
                               output | 0u, update | gate, all & ~rows_scaled, all & ~cols_scaled})
            norm<Raw, Out>(norm_kernel, 7, 256, rms, given);
        norm<Raw, Out>(norm_kernel, 1, 256, rms, all);
        norm<Raw, Out>(norm_kernel, 3, 8, rms, all);
        norm<Raw, Out>(norm_kernel, 7, 3072, rms, all);
        norm<Raw, Out>(norm_kernel, 2, 6144, rms, all);
    }
    norm<Raw, Out>(norm_kernel, 528, 256, false, all);
    for (unsigned given :
         {0u, unsigned(rows_scaled), unsigned(cols_scaled), rows_scaled | cols_scaled | fixed}) {
        gated<Raw, Out>(gated_kernel, 7, 256, 768, given);
        gated<Raw, Out>(gated_kernel, 7, 0, 768, given);
        gated<Raw, Out>(gated_kernel, 7, 3072, 0, given);
    }
    gated<Raw, Out>(gated_kernel, 1, 8, 8, 0);
    gated<Raw, Out>(gated_kernel, 2, 6144, 18432, rows_scaled | cols_scaled);
    gated<Raw, Out>(gated_kernel, 528, 256, 768, rows_scaled | cols_scaled);
}

template <class T> void heads_of(const char* kernel) {
    for (unsigned halves : {0u, 1u}) {
        for (unsigned width : {16u, 48u, 64u, 128u, 256u}) heads<T>(kernel, 7, 4, 2, width, halves, true, 12);
        heads<T>(kernel, 7, 3, 0, 128, halves, true, rows_scaled);
        heads<T>(kernel, 7, 0, 3, 128, halves, true, cols_scaled);
        heads<T>(kernel, 7, 2, 2, 128, halves, false, 0);
        heads<T>(kernel, 1, 24, 24, 128, halves, true, 12);
    }
    heads<T>(kernel, 528, 2, 2, 128, 0, true, 12);
}

template <class W> void matvec_of(const char* kernel) {
    for (unsigned width : {8u, 24u, 256u, 3072u, 4104u, 8200u, 9216u})
        for (unsigned flags : {0u, 1u, 2u, 7u}) matvec<W>(kernel, 7, width, flags & 1, flags & 2, flags & 4);
    matvec<W>(kernel, 1, 256, 1, 0, true);
    matvec<W>(kernel, 528, 256, 1, 1, true);
}

}  // namespace

int main() {
    conversions();
    rows_of<float, float>("norm_f32", "gated_f32");
    rows_of<bf16, bf16>("norm_bf16", "gated_bf16");
    rows_of<bf16, e4m3>("norm_e4m3", "gated_e4m3");
    heads_of<float>("heads_f32");
    heads_of<bf16>("heads_bf16");
    matvec_of<float>("matvec_f32");
    matvec_of<bf16>("matvec_bf16");
    matvec_of<e4m3>("matvec_e4m3");
    for (unsigned rows : {1u, 7u, 528u})
        for (unsigned width : {8u, 256u}) decode(rows, width, true), decode(rows, width, false);
    return finish();
}
