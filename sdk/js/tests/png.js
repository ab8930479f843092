// PNG files of RGBA with 8 bits, which is what cases have.

import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

/** Width, height and pixels of a file. */
export function read(file) {
    const bytes = readFileSync(file);
    const data = [];
    let width = 0;
    let height = 0;
    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
        const body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
        const kind = bytes.toString("latin1", at + 4, at + 8);
        if (kind === "IDAT") data.push(body);
        if (kind !== "IHDR") continue;
        [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
        if (body.toString("hex", 8, 13) !== "0806000000") throw new Error(`${file} is no plain RGBA`);
    }
    return { width, height, rgba: unfiltered(inflateSync(Buffer.concat(data)), width * 4, height) };
}

/** Rows without PNG's filters, which say each byte by those to the left (a), above (b) and both (c). */
function unfiltered(raw, stride, height) {
    const out = new Uint8Array(stride * height);
    for (let row = 0; row < height; row++) {
        const filter = raw[row * (stride + 1)];
        for (let x = 0; x < stride; x++) {
            const at = row * stride + x;
            const a = x < 4 ? 0 : out[at - 4];
            const b = row === 0 ? 0 : out[at - stride];
            const c = x < 4 || row === 0 ? 0 : out[at - stride - 4];
            const guess = [0, a, b, (a + b) >> 1, predicted(a, b, c)][filter];
            out[at] = raw[row * (stride + 1) + 1 + x] + guess;
        }
    }
    return out;
}

function predicted(a, b, c) {
    const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    if (pa <= pb && pa <= pc) return a;
    return pb <= pc ? b : c;
}
