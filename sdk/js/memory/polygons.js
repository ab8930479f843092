// Polygons, as the host draws them: the formulas are those of sdk/draw/src/corners.rs.

import { WHOLE, clamp, touched } from "./raster.js";

const LINES = 16;
const SAMPLES = 8;
const SAMPLE = WHOLE / (LINES * SAMPLES);
const ALL = (1 << SAMPLES) - 1;

/** A filled polygon by the even-odd rule: each edge flips all samples to its right. */
export function polygon(on, corners, paint) {
    const edges = edgesOf(corners, on.height);
    if (edges.length === 0) return;
    const across = corners.map(({ x }) => x);
    const { from, to } = touched(on.width, Math.min(...across), Math.max(...across));
    const top = Math.min(...edges.map((edge) => edge.top));
    const rows = touched(on.height, top, Math.max(0, ...edges.map((edge) => edge.bottom)));
    if (from === to) return;
    for (let row = rows.from; row < rows.to; row++) {
        // For each pixel and line eight samples, and one pixel more for what is right of all.
        const flips = new Uint8Array((to - from + 1) * LINES);
        for (const edge of edges) {
            if (edge.top < row + 1 && edge.bottom > row) cross(edge, row, from, flips);
        }
        const inside = new Uint8Array(LINES);
        const coverages = Array.from({ length: to - from }, (_, pixel) => {
            let samples = 0;
            for (let line = 0; line < LINES; line++) {
                inside[line] ^= flips[pixel * LINES + line];
                for (let bits = inside[line]; bits; bits &= bits - 1) samples++;
            }
            return samples * SAMPLE;
        });
        on.cover(row, from, coverages, paint);
    }
}

function edgesOf(corners, height) {
    const edges = [];
    for (const [at, one] of corners.entries()) {
        const other = corners[(at + 1) % corners.length];
        const [upper, lower] = one.y <= other.y ? [one, other] : [other, one];
        const [top, bottom] = [upper.y, lower.y];
        if (top < bottom && bottom > 0 && top < height) {
            const near = Math.abs(top) < Math.abs(bottom) ? upper : lower;
            const slope = (lower.x - upper.x) / (bottom - top);
            edges.push({ top, bottom, x: near.x, y: near.y, slope });
        }
    }
    return edges;
}

function cross(edge, row, first, flips) {
    const last = (flips.length / LINES - 1) * SAMPLES;
    for (let line = 0; line < LINES; line++) {
        const y = row + (line + 0.5) / LINES;
        if (y < edge.top || y >= edge.bottom) continue;
        const x = edge.x + (y - edge.y) * edge.slope - first;
        const sample = clamp(Math.floor(x * SAMPLES + 0.5), 0, last);
        const pixel = Math.floor(sample / SAMPLES);
        const before = (1 << (sample % SAMPLES)) - 1;
        flips[pixel * LINES + line] ^= ALL ^ before;
        // Beyond the end nothing is written.
        flips[(pixel + 1) * LINES + line] ^= before;
    }
}
