// What a plugin's tests are made of, under node. A component has none of it.

import { readFileSync } from "node:fs";

import { Refused } from "./failures.js";
import { MODELS } from "./memory/infer.js";
import { LINES } from "./memory/log.js";
import { Picture as Stored } from "./memory/pictures.js";
import { seedWith } from "./memory/random.js";
import { Raster, refuse } from "./memory/raster.js";
import { SETTINGS } from "./memory/settings.js";
import { Picture } from "./pictures.js";
import { Request } from "./request.js";
import { Schema } from "./schema.js";
import { lift, lower } from "./tensors.js";

export { LINES as lines, SETTINGS as settings, seedWith };

export function picture(width, height, rgba, media) {
    if (rgba.length !== width * height * 4) {
        const needed = width * height * 4;
        throw new RangeError(`${width}×${height} pixels are ${needed} bytes, not ${rgba.length}`);
    }
    return new Picture(new Stored(new Raster(width, height, Uint8Array.from(rgba)), media));
}

export const rgba = (of) => of.handle.raster.pixels.slice();

export function request(sources, parameters = {}, output = { width: 1024, height: 1024 }, schema) {
    const checks = new Schema(schema === undefined ? schema : readFileSync(schema, "utf8"));
    return new Request(sources, checks.parameters(JSON.stringify(parameters)), output);
}

export function answerWith(model, answer) {
    MODELS.set(model, (inputs) => {
        try {
            return answer(inputs.map(lift)).map(lower);
        } catch (error) {
            if (!(error instanceof Refused)) throw error;
            return refuse({ tag: error.kind ?? "failed", val: error.message });
        }
    });
}

export function reset() {
    MODELS.clear();
    for (const key of Object.keys(SETTINGS)) delete SETTINGS[key];
    LINES.length = 0;
    seedWith(0);
}
