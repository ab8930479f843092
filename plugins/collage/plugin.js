// First-party plugin `collage`: several pictures on one sheet. A model pays for each reference by
// its pixels, so four pictures on one sheet cost a fourth of four references of that size.
//
// No pixel passes through JavaScript: the host makes pictures small, pastes and draws.

import { Canvas, ParameterFailure, SourceFailure, log, within } from "atelier-plugin";

import { number } from "./digits.js";
import { cells, columns } from "./grid.js";
import { words } from "./words.js";

export const takes = ["picture"];

const MOST = 64;

export function prepare(request) {
    const { pictures, parameters: wanted } = request;
    if (pictures.length === 0) throw new SourceFailure("there is no picture to put on the sheet");
    if (pictures.length > MOST) {
        throw new SourceFailure(`${pictures.length} pictures are too many for a sheet: ${MOST}`);
    }
    if (wanted.labels.length > pictures.length) {
        const reason = `has ${wanted.labels.length} entries for ${pictures.length} pictures`;
        throw new ParameterFailure("labels", reason);
    }
    const sheet = {
        width: wanted.width ?? request.output.width,
        height: wanted.height ?? request.output.height,
    };
    const sizes = pictures.map((picture) => picture.size);
    const across = wanted.columns || columns(sizes, sheet, wanted.gap);
    const places = cells(pictures.length, across, sheet, wanted.gap);
    if (places.some(({ width, height }) => width < 1 || height < 1)) {
        throw new ParameterFailure("gap", `leaves no room for ${pictures.length} pictures`);
    }
    const canvas = new Canvas(sheet, wanted.background);
    for (const [at, picture] of pictures.entries()) {
        const frame = fitted(canvas, picture, places[at]);
        if (wanted.numbers) number(canvas, at + 1, frame);
        log.progress((at + 1) / pictures.length);
    }
    const rows = Math.ceil(pictures.length / across);
    return {
        pictures: [canvas],
        prompt: wanted.prompt ? words(pictures.length, across, wanted) : null,
        notes: { grid: `${across}x${rows}`, pictures: pictures.length },
    };
}

/** Puts a picture into the middle of its cell, whole, and says where it lies. */
function fitted(canvas, picture, cell) {
    const size = within(picture.size, cell);
    const x = cell.x + Math.floor((cell.width - size.width) / 2);
    const y = cell.y + Math.floor((cell.height - size.height) / 2);
    canvas.paste(picture.resized(size), x, y);
    return { x, y, ...size };
}
