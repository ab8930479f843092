// Pixels in plain memory, for an author's tests. They have the host's rules, so that a test finds
// what a job would; but what is resized takes the nearest pixel, and what is drawn is only
// remembered. Golden pictures come from `atelier plugin test`.

/** What the bindings throw where the host refuses. */
export function refuse(payload) {
    throw Object.assign(new Error(String(payload?.val ?? payload)), { payload });
}

export class Raster {
    constructor(width, height, pixels = new Uint8Array(width * height * 4)) {
        if (width < 1 || height < 1) refuse(`a picture of ${width}×${height} pixels is empty`);
        this.width = width;
        this.height = height;
        this.pixels = pixels;
        /** What was drawn on it: the name of each call and its arguments. */
        this.drawn = [];
    }

    size() {
        return { width: this.width, height: this.height };
    }

    check({ x, y, width, height }) {
        if (!width || !height || x + width > this.width || y + height > this.height) {
            const place = `${width}×${height} at (${x}, ${y})`;
            refuse(`the region ${place} is not inside ${this.width}×${this.height}`);
        }
    }

    cut({ x, y, width, height }) {
        const out = new Uint8Array(width * height * 4);
        for (let row = 0; row < height; row++) {
            const start = ((y + row) * this.width + x) * 4;
            out.set(this.pixels.subarray(start, start + width * 4), row * width * 4);
        }
        return out;
    }

    put(source, x, y) {
        const left = Math.max(x, 0);
        const right = Math.min(x + source.width, this.width);
        if (left >= right) return;
        for (let row = Math.max(y, 0); row < Math.min(y + source.height, this.height); row++) {
            const part = source.cut({ x: left - x, y: row - y, width: right - left, height: 1 });
            this.pixels.set(part, (row * this.width + left) * 4);
        }
    }

    nearest(width, height) {
        const out = new Raster(width, height);
        for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
                const from = Math.floor(((y + 0.5) * this.height) / height) * this.width;
                const start = (from + Math.floor(((x + 0.5) * this.width) / width)) * 4;
                out.pixels.set(this.pixels.subarray(start, start + 4), (y * width + x) * 4);
            }
        }
        return out;
    }
}
