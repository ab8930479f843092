// Lanczos resampling, three lobes, on colours weighted by their alpha: the host's, but for what
// 32-bit floats round, which is a shade at most.

const LOBES = 3;

/** RGBA pixels of one size brought to another, neither of them empty. */
export function lanczos(pixels, from, to) {
    if (from.width === to.width && from.height === to.height) return Uint8Array.from(pixels);
    const weighted = Float64Array.from(pixels, (part, at) => part * (at % 4 < 3 ? pixels[at | 3] : 255));
    const narrow = new Float64Array(to.width * from.height * 4);
    for (const [x, { first, taps }] of weights(from.width, to.width).entries()) {
        for (let y = 0; y < from.height; y++) {
            sum(narrow, (y * to.width + x) * 4, weighted, (y * from.width + first) * 4, 4, taps);
        }
    }
    const levels = new Float64Array(to.width * to.height * 4);
    for (const [y, { first, taps }] of weights(from.height, to.height).entries()) {
        for (let x = 0; x < to.width; x++) {
            const start = (first * to.width + x) * 4;
            sum(levels, (y * to.width + x) * 4, narrow, start, to.width * 4, taps);
        }
    }
    const out = new Uint8Array(levels.length);
    for (let at = 0; at < out.length; at += 4) out.set(unweighted(levels.subarray(at, at + 4)), at);
    return out;
}

/** One pixel: the weighted sum of others that lie `stride` numbers apart. */
function sum(into, at, of, start, stride, taps) {
    for (const [tap, weight] of taps.entries()) {
        for (let channel = 0; channel < 4; channel++) {
            into[at + channel] += weight * of[start + tap * stride + channel];
        }
    }
}

function unweighted(levels) {
    const [r, g, b, alpha] = levels.map((level) => Math.min(65535, Math.max(0, Math.floor(level + 0.5))));
    if (alpha === 0) return [0, 0, 0, 0];
    const half = Math.floor(alpha / 2);
    // The lobes overshoot, so a colour can come out above its alpha.
    const colour = (part) => Math.min(255, Math.floor((part * 255 + half) / alpha));
    return [colour(r), colour(g), colour(b), Math.min(255, Math.floor((alpha + 127) / 255))];
}

/** For each new pixel the first old one that counts, and weights that sum to 1. */
function weights(from, to) {
    const ratio = from / to;
    const scale = Math.max(1, ratio);
    return Array.from({ length: to }, (_, index) => {
        const centre = (index + 0.5) * ratio - 0.5;
        const first = Math.min(from - 1, Math.max(0, Math.ceil(centre - LOBES * scale)));
        const last = Math.min(from - 1, Math.max(0, Math.floor(centre + LOBES * scale)));
        const raw = Array.from({ length: last - first + 1 }, (_, tap) => {
            return kernel((first + tap - centre) / scale);
        });
        const total = raw.reduce((one, other) => one + other);
        return { first, taps: raw.map((weight) => weight / total) };
    });
}

function kernel(x) {
    return Math.abs(x) < LOBES ? sinc(Math.PI * x) * sinc((Math.PI * x) / LOBES) : 0;
}

function sinc(x) {
    return x === 0 ? 1 : Math.sin(x) / x;
}
