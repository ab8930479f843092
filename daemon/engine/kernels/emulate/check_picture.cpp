// Checks the kernels for pictures in the emulator, on random operands, against plain arithmetic in double
// precision. Ends with 1 where one fails.
//
//   g++ -O2 -std=c++17 -ffp-contract=off -Wall -Wno-unknown-pragmas check_picture.cpp -o /tmp/check && /tmp/check
#include "check.hpp"

using namespace check;

namespace {

struct Window { unsigned side, before, stride, each; };
const Window point = {1, 0, 1, 1}, near = {3, 1, 1, 1}, doubled = {3, 1, 1, 2}, halved = {3, 0, 2, 1};

// Rows of the result from `first` on; those below the picture's own are zeros.
template <class T>
void patches(const char* kernel, Window by, unsigned height, unsigned width, unsigned channels,
             unsigned first, unsigned rows, bool affine, bool silu) {
    std::string what = text(by.side) + "/" + text(by.stride) + "/" + text(by.each) + " of " + text(height) +
                       " x " + text(width) + " x " + text(channels) + ", " + text(rows) + " from " +
                       text(first);
    unsigned out_width = width * by.each / by.stride, taps = by.side * by.side;
    Fenced<T> from(size_t(height) * width * channels), out(size_t(rows) * out_width * taps * channels);
    Fenced<float> scale(channels, !affine), shift(channels, !affine);
    fill(from, -3, 3);
    fill(scale, 0.5, 2);
    fill(shift, -1, 1);
    std::vector<double> wanted(out.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
        size_t channel = i % channels, tap = i / channels % taps, pixel = i / channels / taps;
        long y = long(first + pixel / out_width) * by.stride + long(tap / by.side) - by.before;
        long x = long(pixel % out_width) * by.stride + long(tap % by.side) - by.before;
        if (y < 0 || x < 0 || y >= long(height * by.each) || x >= long(width * by.each)) continue;
        double v = exact(from[(size_t(y) / by.each * width + size_t(x) / by.each) * channels + channel]);
        if (affine) v = v * scale[channel] + shift[channel];
        wanted[i] = silu ? v / (1 + exp(-v)) : v;
    }
    Patches args = {from.pointer(), scale.pointer(), shift.pointer(), out.pointer(), height, width, channels,
                    first, rows, out_width, by.side, by.before, by.stride, by.each, silu};
    size_t places = size_t((rows - 1) * by.stride + by.side) * ((out_width - 1) * by.stride + by.side);
    launch(kernel, unsigned((places * channels / 8 + 255) / 256), 0, args, {bytes(out)});
    expect(out.marks_kept(), what + ": written beyond");
    compare(kernel, what, affine || silu ? limit_of<T>() : 0, widened(out), wanted);
    outcomes[kernel].limit = limit_of<T>();
}

// Moments around a mean of `middle`, then the affine of them; both are held to the numbers themselves.
template <class T>
void norm(const char* kernel, unsigned rows, unsigned groups, unsigned each, unsigned slice, double middle) {
    unsigned channels = groups * each, slices = (rows + slice - 1) / slice;
    std::string what = text(rows) + " x " + text(groups) + " of " + text(each) + " around " + text(middle);
    Fenced<T> x(size_t(rows) * channels);
    Fenced<float> moments(size_t(slices) * 2 * channels), weight(channels), bias(channels), scale(channels),
        shift(channels);
    fill(x, middle - 2, middle + 2);
    fill(weight, 0.5, 2);
    fill(bias, -1, 1);
    std::vector<double> means(size_t(slices) * channels), squares(means.size());
    std::vector<double> all_scale(channels), all_shift(channels), got_means, got_squares;
    for (size_t s = 0; s < slices; ++s)
        for (size_t c = 0; c < channels; ++c) {
            size_t end = std::min<size_t>(rows, (s + 1) * slice), count = end - s * slice;
            double &mean = means[s * channels + c], &square = squares[s * channels + c];
            for (size_t r = s * slice; r < end; ++r) mean += exact(x[r * channels + c]) / count;
            for (size_t r = s * slice; r < end; ++r) square += pow(exact(x[r * channels + c]) - mean, 2);
        }
    for (size_t g = 0; g < groups; ++g) {
        double mean = 0, square = 0, count = double(rows) * each;
        for (size_t i = 0; i < size_t(rows) * each; ++i)
            mean += exact(x[i / each * channels + g * each + i % each]) / count;
        for (size_t i = 0; i < size_t(rows) * each; ++i)
            square += pow(exact(x[i / each * channels + g * each + i % each]) - mean, 2) / count;
        for (size_t c = g * each; c < (g + 1) * each; ++c) {
            all_scale[c] = weight[c] / sqrt(square + 1e-6f);
            all_shift[c] = bias[c] - mean * all_scale[c];
        }
    }
    Moments taken = {x.pointer(), moments.pointer(), rows, channels, slice};
    launch(kernel, slices, 16384, taken, {bytes(moments)}, (channels + 255) / 256);
    expect(moments.marks_kept(), what + ": written beyond");
    for (size_t s = 0; s < slices; ++s)
        for (size_t c = 0; c < channels; ++c) {
            got_means.push_back(moments[s * 2 * channels + c]);
            got_squares.push_back(moments[(s * 2 + 1) * channels + c]);
        }
    compare(kernel, what + ", means", 2e-6, got_means, means);
    compare(kernel, what + ", squares", 2e-6, got_squares, squares);
    Affine args = {moments.pointer(), weight.pointer(), bias.pointer(), scale.pointer(), shift.pointer(),
                   rows, channels, slice, groups, 1e-6f};
    launch("affine", groups, 3072, args, {bytes(scale), bytes(shift)});
    expect(scale.marks_kept() && shift.marks_kept(), what + ": written beyond");
    compare("affine", what + ", scale", 2e-6, widened(scale), all_scale);
    compare("affine", what + ", shift", 2e-6, widened(shift), all_shift);
}

template <class T> void settle(const char* kernel, unsigned rows, unsigned columns, unsigned added) {
    std::string what = text(rows) + " x " + text(columns) + ", added " + text(added);
    Fenced<float> y(size_t(rows) * columns), bias(columns);
    Fenced<T> add(y.size(), added != 1), out(y.size());
    fill(y, -2, 2);
    fill(bias, -1, 1);
    fill(add, -3, 3);
    fill(out, -3, 3);
    std::vector<double> wanted(y.size());
    for (size_t i = 0; i < wanted.size(); ++i)
        wanted[i] = y[i] + bias[i % columns] + (added == 1 ? exact(add[i]) : added == 2 ? exact(out[i]) : 0);
    Settle args = {y.pointer(), bias.pointer(), added == 2 ? out.pointer() : add.pointer(), out.pointer(),
                   rows, columns};
    launch(kernel, (rows * columns + 2047) / 2048, 0, args, {bytes(out)});
    expect(out.marks_kept(), what + ": written beyond");
    compare(kernel, what, limit_of<T>(), widened(out), wanted);
}

void plane(unsigned rows, unsigned columns, unsigned planes, unsigned first) {
    std::string what = text(planes) + " of " + text(columns) + ", " + text(rows) + " from " + text(first);
    unsigned length = first + rows;
    Fenced<float> y(size_t(rows) * columns), bias(columns), out(size_t(planes) * length);
    fill(y, -2, 2);
    fill(bias, -1, 1);
    fill(out, -1, 1);
    std::vector<double> wanted = widened(out);
    for (size_t p = 0; p < planes; ++p)
        for (size_t r = 0; r < rows; ++r) wanted[p * length + first + r] = y[r * columns + p] + bias[p];
    Planes args = {y.pointer(), bias.pointer(), out.pointer(), rows, columns, planes, length, first};
    launch("planes", (rows + 255) / 256, 0, args, {bytes(out)});
    expect(out.marks_kept(), what + ": written beyond");
    compare("planes", what, 1e-6, widened(out), wanted);
}

// Columns that are no keys hold NaNs, which must reach nothing.
template <class T> void softmax(const char* kernel, unsigned rows, unsigned keys, double reach) {
    unsigned columns = (keys + 7) / 8 * 8;
    std::string what = text(rows) + " x " + text(keys) + " within " + text(reach);
    Fenced<float> scores(size_t(rows) * columns);
    Fenced<T> out(scores.size());
    fill(scores, -reach, reach);
    for (size_t i = 0; i < scores.size(); ++i)
        if (i % columns >= keys) scores[i] = NAN;
    float factor = 0.044f;
    std::vector<double> wanted(scores.size());
    for (size_t r = 0; r < rows; ++r) {
        double sum = 0, most = -INFINITY;
        for (size_t k = 0; k < keys; ++k) most = fmax(most, double(scores[r * columns + k]) * factor);
        for (size_t k = 0; k < keys; ++k)
            sum += wanted[r * columns + k] = exp(double(scores[r * columns + k]) * factor - most);
        for (size_t k = 0; k < keys; ++k) wanted[r * columns + k] /= sum;
    }
    Softmax args = {scores.pointer(), out.pointer(), rows, keys, columns, factor};
    launch(kernel, rows, 0, args, {bytes(out)});
    expect(out.marks_kept(), what + ": written beyond");
    compare(kernel, what, sizeof(T) == 4 ? 3e-6 : limit_of<T>(), widened(out), wanted);
}

template <class T>
void of(const char* laid_out, const char* taken, const char* settled, const char* weighed) {
    for (unsigned channels : {8u, 24u, 128u}) {
        for (Window by : {point, near, doubled, halved}) {
            unsigned height = 6 * by.each / by.stride;
            patches<T>(laid_out, by, 6, 10, channels, 0, height, false, false);
            patches<T>(laid_out, by, 6, 10, channels, height / 2, height - height / 2, true, true);
            patches<T>(laid_out, by, 6, 10, channels, 1, 1, true, false);
            patches<T>(laid_out, by, 2, 2, channels, 0, 2 * by.each / by.stride, true, true);
        }
        // Keys that are no pixels.
        patches<T>(laid_out, point, 3, 4, channels, 0, 4, true, false);
    }
    for (double middle : {0.0, 50.0}) {
        norm<T>(taken, 12, 32, 1, 64, middle);
        norm<T>(taken, 1100, 32, 3, 64, middle);
        norm<T>(taken, 300, 32, 16, 128, middle);
        norm<T>(taken, 130, 4, 80, 64, middle);
    }
    for (unsigned added : {0u, 1u, 2u}) {
        settle<T>(settled, 1, 8, added);
        settle<T>(settled, 77, 72, added);
    }
    for (unsigned keys : {1u, 4u, 12u, 1023u, 5000u})
        for (double reach : {20.0, 2000.0}) softmax<T>(weighed, 3, keys, reach);
}

}  // namespace

int main() {
    of<float>("patches_f32", "moments_f32", "settle_f32", "softmax_f32");
    of<bf16>("patches_bf16", "moments_bf16", "settle_bf16", "softmax_bf16");
    plane(1, 8, 3, 0);
    plane(600, 8, 3, 37);
    plane(300, 64, 32, 5);
    return finish();
}
