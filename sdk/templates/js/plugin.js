// {{name}}: takes the colour out of a picture, so that the model sees its light and its forms.

import { Canvas, log, within } from "atelier-plugin";

export const takes = ["picture"];

// The longest side of what comes out: each pixel that JavaScript touches costs time, and the model
// needs no more to see light and forms.
const SIDE = 512;
// As many rows at a time: a plugin's memory is limited.
const ROWS = 64;

/**
 * Called once for each reference, on a fresh instance.
 *
 * @param {import("atelier-plugin").Request<{ strength: number }>} request
 * @returns {import("atelier-plugin").Outcome}
 */
export function prepare(request) {
    const { strength } = request.parameters;
    let picture = request.onlyPicture();
    if (Math.max(picture.size.width, picture.size.height) > SIDE) {
        picture = picture.resized(within(picture.size, { width: SIDE, height: SIDE }));
    }
    const { width, height } = picture.size;
    const canvas = new Canvas({ width, height });
    for (let y = 0; y < height; y += ROWS) {
        const rows = { x: 0, y, width, height: Math.min(ROWS, height - y) };
        const pixels = picture.read(rows);
        fade(pixels, strength);
        canvas.write(pixels, rows);
        log.progress((y + rows.height) / height);
    }
    return { pictures: [canvas], notes: { strength } };
}

/**
 * Takes colour out of pixels: a strength of 100 leaves none. Alpha stays as it is.
 *
 * @param {Uint8Array} pixels
 * @param {number} strength
 */
function fade(pixels, strength) {
    const keep = 100 - strength;
    for (let at = 0; at < pixels.length; at += 4) {
        // Brightness as in ITU-R BT.601, in parts of 256.
        const grey = (77 * pixels[at] + 150 * pixels[at + 1] + 29 * pixels[at + 2] + 128) >> 8;
        for (let channel = at; channel < at + 3; channel++) {
            const mixed = pixels[channel] * keep + grey * strength + 50;
            pixels[channel] = Math.floor(mixed / 100);
        }
    }
}
