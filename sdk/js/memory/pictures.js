// The host's pictures, in plain memory, with the host's rules and sentences, so that a test finds
// what a job would. Only limits are not held: those depend on the user's settings.

import { Raster, refuse } from "./raster.js";
import { lanczos } from "./resample.js";

const LONGEST_SIDE = 16384;

/** Refuses a size that no picture may have. */
export function possible({ width, height }) {
    if (width < 1 || height < 1) refuse(`a picture of ${width} x ${height} pixels has none`);
    if (Math.max(width, height) > LONGEST_SIDE) {
        refuse(`${width} x ${height} pixels: a side may have ${LONGEST_SIDE}`);
    }
}

export class Picture {
    constructor(raster, media = null) {
        this.raster = raster;
        this.media = media;
    }

    size() {
        return this.raster.size();
    }

    format() {
        return this.media;
    }

    read(at) {
        this.raster.check(at);
        return this.raster.cut(at);
    }

    resized(to) {
        possible(to);
        const pixels = lanczos(this.raster.pixels, this.raster.size(), to);
        return new Picture(new Raster(to.width, to.height, pixels));
    }
}

export class Canvas {
    constructor(raster) {
        this.raster = raster;
    }

    static create(size) {
        possible(size);
        return new Canvas(new Raster(size.width, size.height));
    }

    size() {
        return this.raster.size();
    }

    write(at, pixels) {
        this.raster.check(at);
        const expected = at.width * at.height * 4;
        if (pixels.length !== expected) {
            const region = `a region of ${at.width} x ${at.height} pixels`;
            refuse(`${region} is ${expected} bytes, not ${pixels.length}`);
        }
        this.raster.put(new Raster(at.width, at.height, Uint8Array.from(pixels)), at.x, at.y);
    }

    fill(at, colour) {
        this.raster.check(at);
        const pixels = new Uint8Array(at.width * at.height * 4);
        for (let start = 0; start < pixels.length; start += 4) pixels.set(colour, start);
        this.write(at, pixels);
    }

    paste(picture, x, y) {
        this.raster.put(picture.raster, x, y);
    }

    snapshot() {
        const { width, height, pixels } = this.raster;
        return new Picture(new Raster(width, height, pixels.slice()));
    }
}

export default { Picture, Canvas };
