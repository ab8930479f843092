// Lines, as the host draws them: the formulas are those of sdk/draw/src/capsules.rs.

import { WHOLE, clamp, touched } from "./raster.js";

/** Each point joined to the next, round at ends and corners; all of it is one shape. */
export function lines(on, through, radius, paint) {
    if (through.length === 0) return;
    const ends = through.length > 1 ? through : [through[0], through[0]];
    const segments = ends.slice(1).map((end, at) => new Segment(ends[at], end));
    const reach = radius + 0.5;
    const xs = ends.map(({ x }) => x);
    const ys = ends.map(({ y }) => y);
    const columns = touched(on.width, Math.min(...xs) - reach, Math.max(...xs) + reach);
    const rows = touched(on.height, Math.min(...ys) - reach, Math.max(...ys) + reach);
    for (let y = rows.from; y < rows.to; y++) {
        const middle = y + 0.5;
        const row = new Row(columns);
        for (const segment of segments) {
            if (segment.top - reach < middle && segment.bottom + reach > middle) {
                row.add(segment, radius, middle);
            }
        }
        on.cover(y, columns.from, row.coverages(), paint);
    }
}

/** Two points; around it lies a capsule, all that is within a radius. */
class Segment {
    constructor(a, b) {
        this.a = a;
        this.b = b;
        this.across = b.x - a.x;
        this.down = b.y - a.y;
        this.length = Math.sqrt(this.across * this.across + this.down * this.down);
        this.cross = a.x * b.y - a.y * b.x;
        this.top = Math.min(a.y, b.y);
        this.bottom = Math.max(a.y, b.y);
    }

    distance(x, y) {
        const { a, b, across, down } = this;
        const [ax, ay, bx, by] = [x - a.x, y - a.y, x - b.x, y - b.y];
        if (this.length === 0 || ax * across + ay * down <= 0) return Math.sqrt(ax * ax + ay * ay);
        if (bx * across + by * down >= 0) return Math.sqrt(bx * bx + by * by);
        return Math.abs(across * y - down * x + this.cross) / this.length;
    }

    /** From where to where the points of a height are inside: two discs and what is between. */
    stretch(radius, y) {
        const parts = [];
        for (const end of [this.a, this.b]) {
            const inside = radius * radius - (y - end.y) * (y - end.y);
            if (inside >= 0) parts.push([end.x - Math.sqrt(inside), end.x + Math.sqrt(inside)]);
        }
        const between = this.#between(radius, y);
        if (between) parts.push(between);
        if (parts.length === 0) return null;
        const lows = parts.map(([low]) => low);
        const highs = parts.map(([, high]) => high);
        return [Math.min(...lows), Math.max(...highs)];
    }

    #between(radius, y) {
        const { a, b, across, down } = this;
        if (this.length === 0) return null;
        const wide = radius * this.length;
        const level = across * y + this.cross;
        const beside = within(down, level - wide, level + wide);
        const afterA = within(across, across * a.x + down * (a.y - y), Infinity);
        const beforeB = within(across, -Infinity, across * b.x + down * (b.y - y));
        if (!beside || !afterA || !beforeB) return null;
        const low = Math.max(beside[0], afterA[0], beforeB[0]);
        const high = Math.min(beside[1], afterA[1], beforeB[1]);
        return low <= high ? [low, high] : null;
    }
}

/** The x for which low ≤ factor · x ≤ high. */
function within(factor, low, high) {
    if (factor === 0) return low <= 0 && high >= 0 ? [-Infinity, Infinity] : null;
    return [Math.min(low / factor, high / factor), Math.max(low / factor, high / factor)];
}

/** One row's coverages: pixels along the rims, and stretches that are whole. */
class Row {
    constructor({ from, to }) {
        this.first = from + 0.5;
        this.rim = new Uint16Array(to - from);
        this.whole = new Int32Array(to - from + 1);
    }

    add(segment, radius, y) {
        const stretch = segment.stretch(radius + 0.5, y);
        if (!stretch) return;
        const outer = this.#middles(stretch);
        // A line thinner than a pixel has no inside.
        const deep = radius > 0.5 ? segment.stretch(radius - 0.5, y) : null;
        let inner = deep && this.#middles(deep);
        if (!inner || inner.from === inner.to) inner = { from: outer.to, to: outer.to };
        this.whole[inner.from] += 1;
        this.whole[inner.to] -= 1;
        for (let pixel = outer.from; pixel < outer.to; pixel++) {
            if (pixel === inner.from) pixel = inner.to;
            if (pixel >= outer.to) break;
            const share = coverage(segment.distance(this.first + pixel, y), radius);
            this.rim[pixel] = Math.max(this.rim[pixel], share);
        }
    }

    /** The pixels whose middles are in a stretch. */
    #middles([low, high]) {
        const last = this.rim.length;
        const from = Math.ceil(clamp(low - this.first, 0, last));
        return { from, to: Math.max(from, Math.floor(clamp(high - this.first + 1, 0, last))) };
    }

    coverages() {
        let depth = 0;
        return this.rim.map((rim, at) => {
            depth += this.whole[at];
            return depth > 0 ? WHOLE : rim;
        });
    }
}

/** The share of a pixel's breadth, at a distance from a line's middle, that is inside. */
function coverage(distance, radius) {
    const inside = Math.min(distance + 0.5, radius) - Math.max(distance - 0.5, -radius);
    return Math.floor(clamp(inside, 0, 1) * WHOLE + 0.5);
}
