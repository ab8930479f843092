// Run by sdk/check.sh, which puts the SDK into node_modules.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as testing from "atelier-plugin/testing";

import { cells, columns } from "../grid.js";
import { prepare } from "../plugin.js";
import { placeOf } from "../words.js";

const SCHEMA = new URL("../parameters.schema.json", import.meta.url);

function flat(width, height, colour) {
    const pixels = Uint8Array.from({ length: width * height * 4 }, (_, at) => colour[at % 4]);
    return testing.picture(width, height, pixels);
}

function collage(pictures, parameters, output) {
    return prepare(testing.request(pictures, parameters, output, SCHEMA));
}

test("wide pictures lie above each other on a square sheet, tall ones side by side", () => {
    const sheet = { width: 100, height: 100 };
    assert.equal(columns([{ width: 40, height: 20 }, { width: 40, height: 20 }], sheet, 0), 1);
    assert.equal(columns([{ width: 20, height: 40 }, { width: 20, height: 40 }], sheet, 0), 2);
});

test("a last row that is not full lies in the middle", () => {
    const [, , third] = cells(3, 2, { width: 100, height: 100 }, 10);
    assert.deepEqual(third, { x: 32, y: 55, width: 35, height: 35 });
});

test("pictures are pasted where the prompt says", () => {
    const red = [255, 0, 0, 255];
    const blue = [0, 0, 255, 255];
    const made = collage([flat(8, 8, red), flat(8, 8, blue)], { gap: 0, labels: ["the hat"] }, { width: 128, height: 64 });
    const pixels = testing.rgba(made.pictures[0]);
    assert.deepEqual([...pixels.slice(0, 4)], red);
    assert.deepEqual([...pixels.slice(127 * 4, 128 * 4)], blue);
    assert.equal(made.prompt, "image {image} is a sheet of 2 pictures: the hat (left) and picture 2 (right)");
});

test("numbers are drawn on each picture", () => {
    const twelve = Array.from({ length: 12 }, () => flat(4, 4, [9, 9, 9, 255]));
    const sheet = { width: 512, height: 512 };
    const [bare, numbered] = [false, true].map((numbers) => {
        return testing.rgba(collage(twelve, { numbers, columns: 4 }, sheet).pictures[0]);
    });
    for (const { x, y, width, height } of cells(12, 4, sheet, 16)) {
        const reds = new Set();
        for (let row = y; row < y + height; row++) {
            for (let at = row * 512 + x; at < row * 512 + x + width; at++) {
                if (bare[at * 4] !== numbered[at * 4]) reds.add(numbered[at * 4]);
            }
        }
        assert.ok(reds.has(255), `no white stroke at (${x}, ${y})`);
        assert.ok(Math.min(...reds) < 9, `no dark disc at (${x}, ${y})`);
    }
});

test("too many labels and no room are refused by name", () => {
    const one = [flat(4, 4, [1, 2, 3, 255])];
    assert.throws(() => collage(one, { labels: ["a", "b"] }), { parameter: "labels" });
    assert.throws(() => collage(one, { gap: 64 }, { width: 64, height: 64 }), { parameter: "gap" });
    assert.throws(() => collage(one, { gab: 1 }), { parameter: "gab" });
});

test("places have plain words up to three rows and columns", () => {
    assert.equal(placeOf(0, 2, 2), "left");
    assert.equal(placeOf(2, 3, 2), "bottom");
    assert.equal(placeOf(4, 9, 3), "middle centre");
    assert.equal(placeOf(5, 16, 4), "row 2, column 2");
});
