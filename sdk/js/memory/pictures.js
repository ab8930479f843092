// The host's pictures, in plain memory: see raster.js.

import { Raster, refuse } from "./raster.js";

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

    resized({ width, height }) {
        return new Picture(this.raster.nearest(width, height));
    }
}

export class Canvas {
    constructor(raster) {
        this.raster = raster;
    }

    static create({ width, height }) {
        return new Canvas(new Raster(width, height));
    }

    size() {
        return this.raster.size();
    }

    write(at, pixels) {
        this.raster.check(at);
        const expected = at.width * at.height * 4;
        if (pixels.length !== expected) {
            refuse(`the region needs ${expected} bytes, not ${pixels.length}`);
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
