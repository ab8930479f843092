// What the checks of the kernels need: memory that shows who writes or reads beyond it, random operands,
// launches in two orders of the threads, and comparisons with plain arithmetic in double precision.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "library.cpp"

namespace check {

// `count` elements that end where a page nobody may touch begins (less what alignment to 16 bytes leaves),
// with marked bytes before and behind. `absent` makes the null pointer of an optional operand.
template <class T> class Fenced {
  public:
    explicit Fenced(size_t count, bool absent = false) : count(count), absent(absent) {
        size_t bytes = (count * sizeof(T) + 15) / 16 * 16;
        mapped = (bytes + 2 * 4096 - 1) / 4096 * 4096;
        map = static_cast<unsigned char*>(
            mmap(nullptr, mapped + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (map == MAP_FAILED) abort();
        mprotect(map + mapped, 4096, PROT_NONE);
        memset(map, mark, mapped);
        at = reinterpret_cast<T*>(map + mapped - bytes);
    }
    Fenced(const Fenced&) = delete;
    ~Fenced() { munmap(map, mapped + 4096); }

    T* pointer() const { return absent ? nullptr : at; }
    T& operator[](size_t i) const { return at[i]; }
    size_t size() const { return count; }
    bool present() const { return !absent; }
    bool marks_kept() const {
        const unsigned char *begin = reinterpret_cast<unsigned char*>(at), *end = begin + count * sizeof(T);
        auto kept = [](unsigned char byte) { return byte == mark; };
        return std::all_of(static_cast<const unsigned char*>(map), begin, kept) &&
               std::all_of(end, static_cast<const unsigned char*>(map + mapped), kept);
    }
    bool untouched() const {
        const unsigned char* bytes = reinterpret_cast<unsigned char*>(at);
        return std::all_of(bytes, bytes + count * sizeof(T), [](unsigned char byte) { return byte == mark; });
    }

  private:
    static constexpr unsigned char mark = 0x5c;
    size_t count, mapped;
    bool absent;
    unsigned char* map;
    T* at;
};

template <class N> std::string text(N number) { return std::to_string(number); }

inline uint64_t state = 88172645463325252u;

// Uniform in [low, high). Marsaglia's xorshift, so that every run sees the same numbers.
inline double random(double low, double high) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (high - low) * double(state >> 11) / 9007199254740992.0;
}

inline double exact(float v) { return v; }
inline double exact(bf16 bits) {
    uint32_t wide = uint32_t(bits) << 16;
    float v;
    memcpy(&v, &wide, 4);
    return v;
}
inline double exact(e4m3 code) {
    int exponent = code >> 3 & 15, mantissa = code & 7;
    double size = exponent ? ldexp(8 + mantissa, exponent - 10) : ldexp(mantissa, -9);
    return code & 128 ? -size : size;
}

// The e4m3 nearest to v by looking at all of them; of two, the even one.
inline e4m3 nearest_e4m3(double v) {
    e4m3 best = 0;
    for (int code = 1; code < 127; ++code) {
        double now = fabs(fabs(v) - exact(e4m3(code))), before = fabs(fabs(v) - exact(best));
        if (now < before || (now == before && code % 2 == 0)) best = e4m3(code);
    }
    return std::signbit(v) ? best | 128 : best;
}

template <class T> void fill(const Fenced<T>& to, double low, double high) {
    for (size_t i = 0; i < to.size(); ++i) {
        float v = float(random(low, high));
        if constexpr (sizeof(T) == 4) to[i] = v;
        if constexpr (sizeof(T) == 2) to[i] = to_bf16(v);
        if constexpr (sizeof(T) == 1) to[i] = nearest_e4m3(v);
    }
}

struct Outcome {
    double worst = 0, limit = 0;
    unsigned cases = 0;
    size_t codes = 0, other_codes = 0;
};
inline std::map<std::string, Outcome> outcomes;
inline unsigned failures = 0;

inline void expect(bool holds, const std::string& what) {
    if (holds) return;
    ++failures;
    printf("FAILED %s\n", what.c_str());
}

// Relative L2 distance of what a kernel wrote from what it should have, noted under its name.
inline void compare(const std::string& kernel, const std::string& what, double limit,
                    const std::vector<double>& got, const std::vector<double>& wanted) {
    double off = 0, all = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
        off += (got[i] - wanted[i]) * (got[i] - wanted[i]);
        all += wanted[i] * wanted[i];
    }
    double relative = all > 0 ? sqrt(off / all) : sqrt(off);
    Outcome& outcome = outcomes[kernel];
    outcome.worst = relative <= outcome.worst ? outcome.worst : relative;  // keeps a NaN
    outcome.limit = limit;
    ++outcome.cases;
    expect(got.size() == wanted.size() && relative <= limit, kernel + ", " + what + ": " + text(relative));
}

template <class T> std::vector<double> widened(const Fenced<T>& from) {
    std::vector<double> to(from.size());
    for (size_t i = 0; i < to.size(); ++i) to[i] = exact(from[i]);
    return to;
}

template <class T> constexpr double limit_of() {
    return sizeof(T) == 4 ? 1e-6 : sizeof(T) == 2 ? 3e-3 : 0.04;
}

// The e4m3 rows a kernel wrote: their scales, their codes against the exact rounding, and their values.
inline void compare_rows(const std::string& kernel, const std::string& what, const Fenced<e4m3>& out,
                         const Fenced<float>& scales, const std::vector<double>& wanted, float fixed) {
    size_t width = wanted.size() / scales.size();
    std::vector<double> got(wanted.size());
    Outcome& outcome = outcomes[kernel];
    for (size_t i = 0; i < scales.size(); ++i) {
        double most = 0;
        for (size_t j = 0; j < width; ++j) most = fmax(most, fabs(wanted[i * width + j]));
        double scale = fixed > 0 ? fixed : most > 0 ? most / 448 : 1;
        expect(fabs(scales[i] / scale - 1) < 2e-6, kernel + ", " + what + ": scale of row " + text(i));
        for (size_t j = i * width; j < (i + 1) * width; ++j) {
            got[j] = exact(out[j]) * scales[i];
            e4m3 code = nearest_e4m3(wanted[j] / scale);
            bool far =
                abs((out[j] & 127) - (code & 127)) > 1 || ((out[j] ^ code) & 128 && (out[j] | code) & 127);
            expect(!far, kernel + ", " + what + ": a code more than one step off");
            outcome.other_codes += out[j] != code;
        }
    }
    outcome.codes += wanted.size();
    compare(kernel, what, 0.04, got, wanted);
}

struct Bytes {
    void* at;
    size_t count;
};
template <class T> Bytes bytes(const Fenced<T>& of) { return {&of[0], of.size() * sizeof(T)}; }

// Launches in the order of the threads, then in random ones: the outputs' bits must be the same.
template <class Args>
void launch(const std::string& kernel, unsigned grid, unsigned shared, const Args& args,
            std::initializer_list<Bytes> outputs, unsigned across = 1) {
    std::vector<std::vector<char>> before, first;
    for (const Bytes& b : outputs) before.emplace_back((char*)b.at, (char*)b.at + b.count);
    for (unsigned seed : {0u, 40503u, 977u}) {
        size_t n = 0;
        for (const Bytes& b : outputs) memcpy(b.at, before[n++].data(), b.count);
        emulate::shuffle(seed);
        expect(atelier_emulate(kernel.c_str(), grid, across, 1, 256, shared, &args) == 0,
               kernel + " does not run");
        n = 0;
        for (const Bytes& b : outputs) {
            if (!seed) first.emplace_back((char*)b.at, (char*)b.at + b.count);
            expect(!memcmp(b.at, first[n++].data(), b.count),
                   kernel + " depends on the order of its threads");
        }
    }
}

// Prints a line for each kernel. The exit status of the program.
inline int finish() {
    for (const auto& [kernel, outcome] : outcomes) {
        printf("%-14s %3u cases, relative L2 at most %.2e (limit %.0e)", kernel.c_str(), outcome.cases,
               outcome.worst, outcome.limit);
        if (outcome.codes) {
            printf(", %zu of %zu codes one step off", outcome.other_codes, outcome.codes);
            expect(outcome.other_codes < outcome.codes / 1000.0, kernel + ": too many codes off");
        }
        printf("\n");
    }
    printf(failures ? "%u checks FAILED\n" : "all passed\n", failures);
    return failures != 0;
}

}  // namespace check
