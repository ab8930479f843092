// Pixels in plain memory, and colours laid over them as the host lays them.
//
// Numbers are whole, so that a test sees the bytes that a job will: the formulas are those of
// sdk/draw/src/blend.rs, and no product in them reaches 2⁵³.

/** The coverage of a pixel that lies wholly inside a shape. */
export const WHOLE = 4096;

const OPAQUE = 255 * WHOLE;

/** What the bindings throw where the host refuses. */
export function refuse(payload) {
    throw Object.assign(new Error(String(payload?.val ?? payload)), { payload });
}

export class Raster {
    constructor(width, height, pixels = new Uint8Array(width * height * 4)) {
        this.width = width;
        this.height = height;
        this.pixels = pixels;
    }

    size() {
        return { width: this.width, height: this.height };
    }

    check({ x, y, width, height }) {
        if (!width || !height || x + width > this.width || y + height > this.height) {
            const place = `${width} x ${height} pixels at (${x}, ${y})`;
            refuse(`${place} do not lie inside ${this.width} x ${this.height}`);
        }
    }

    /** The pixels of a region that lies inside. */
    cut({ x, y, width, height }) {
        const out = new Uint8Array(width * height * 4);
        for (let row = 0; row < height; row++) {
            const start = ((y + row) * this.width + x) * 4;
            out.set(this.pixels.subarray(start, start + width * 4), row * width * 4);
        }
        return out;
    }

    /** Another's pixels; what falls outside is dropped. */
    put(source, x, y) {
        const left = Math.max(x, 0);
        const right = Math.min(x + source.width, this.width);
        if (left >= right) return;
        for (let row = Math.max(y, 0); row < Math.min(y + source.height, this.height); row++) {
            const part = source.cut({ x: left - x, y: row - y, width: right - left, height: 1 });
            this.pixels.set(part, (row * this.width + left) * 4);
        }
    }

    /** Another's pixels by their alpha; what falls outside is dropped. */
    layOver(source, x, y) {
        const bottom = Math.min(y + source.height, this.height);
        const right = Math.min(x + source.width, this.width);
        for (let row = Math.max(y, 0); row < bottom; row++) {
            for (let column = Math.max(x, 0); column < right; column++) {
                const at = ((row - y) * source.width + column - x) * 4;
                const [r, g, b, a] = source.pixels.subarray(at, at + 4);
                this.#over((row * this.width + column) * 4, { r, g, b, a }, WHOLE);
            }
        }
    }

    /** Lays a colour over a row from the pixel `left` on, by a coverage for each pixel. */
    cover(row, left, coverages, paint) {
        let at = (row * this.width + left) * 4;
        for (const coverage of coverages) {
            if (coverage) this.#over(at, paint, coverage);
            at += 4;
        }
    }

    #over(at, { r, g, b, a }, coverage) {
        const source = a * coverage;
        if (source >= OPAQUE) {
            this.pixels.set([r, g, b, 255], at);
            return;
        }
        const over = source * 255;
        const under = this.pixels[at + 3] * (OPAQUE - source);
        const alpha = nearest(over + under, OPAQUE);
        if (source === 0 || alpha === 0) return;
        for (const [channel, colour] of [r, g, b].entries()) {
            const mixed = colour * over + this.pixels[at + channel] * under;
            this.pixels[at + channel] = nearest(mixed, over + under);
        }
        this.pixels[at + 3] = alpha;
    }
}

function nearest(dividend, divisor) {
    return Math.floor((dividend + Math.floor(divisor / 2)) / divisor);
}

/** A number held to a range. */
export function clamp(value, low, high) {
    return Math.min(Math.max(value, low), high);
}

/** Which of `side` rows or columns have a pixel between two coordinates: from, and up to. */
export function touched(side, low, high) {
    const from = Math.floor(clamp(low, 0, side));
    return { from, to: Math.max(from, Math.ceil(clamp(high, 0, side))) };
}
