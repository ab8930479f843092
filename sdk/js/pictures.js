// Pictures that live in the host. A plugin reads the regions that it needs, and no more: each
// pixel that passes through JavaScript costs time.

import host from "#pictures";

import * as checks from "./checks.js";
import { ask } from "./failures.js";

const all = ({ width, height }) => ({ x: 0, y: 0, width, height });

export class Picture {
    constructor(handle) {
        this.handle = handle;
    }

    get size() {
        return this.handle.size();
    }

    get format() {
        return this.handle.format() ?? null;
    }

    read(region = all(this.size)) {
        const at = checks.region(region);
        return ask(() => this.handle.read(at));
    }

    resized(size) {
        const to = checks.size(size);
        return new Picture(ask(() => this.handle.resized(to)));
    }
}

export class Canvas {
    constructor(size, background) {
        const of = checks.size(size);
        this.handle = ask(() => host.Canvas.create(of));
        if (background !== undefined) this.fill(background);
    }

    get size() {
        return this.handle.size();
    }

    fill(colour, region = all(this.size)) {
        const at = checks.region(region);
        const { r, g, b, a } = checks.colour(colour);
        ask(() => this.handle.fill(at, [r, g, b, a]));
    }

    write(pixels, region = all(this.size)) {
        const at = checks.region(region);
        if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray)) {
            throw new TypeError("the pixels are not a Uint8Array");
        }
        const bytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
        ask(() => this.handle.write(at, bytes));
    }

    paste(picture, x, y) {
        this.handle.paste(picture.handle, checks.signed("x", x), checks.signed("y", y));
    }

    snapshot() {
        return new Picture(ask(() => this.handle.snapshot()));
    }
}
