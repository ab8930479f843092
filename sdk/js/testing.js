// What a plugin's tests are made of, under node. A component has none of it.

import { readFileSync } from "node:fs";

import { MODELS } from "./memory/infer.js";
import { LINES } from "./memory/log.js";
import { Picture as Stored } from "./memory/pictures.js";
import { Raster } from "./memory/raster.js";
import { SETTINGS } from "./memory/settings.js";
import { Picture } from "./pictures.js";
import { Request } from "./request.js";
import { Schema } from "./schema.js";

export { LINES as lines, MODELS as models, SETTINGS as settings };

export function picture(width, height, rgba, media) {
    if (rgba.length !== width * height * 4) throw new RangeError("the bytes do not fit the size");
    return new Picture(new Stored(new Raster(width, height, Uint8Array.from(rgba)), media));
}

export const rgba = (of) => of.handle.raster.pixels;

export const drawn = (canvas) => canvas.handle.raster.drawn;

export function request(sources, parameters = {}, output = { width: 1024, height: 1024 }, schema) {
    const checks = new Schema(schema === undefined ? schema : readFileSync(schema, "utf8"));
    return new Request(sources, checks.parameters(JSON.stringify(parameters)), output);
}
