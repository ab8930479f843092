// What is drawn in memory is what the host draws, byte for byte: sdk/draw wrote the golden file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Canvas, draw } from "atelier-plugin";
import * as testing from "atelier-plugin/testing";

const GOLDEN = new URL("../../draw/tests/golden/drawings.txt", import.meta.url);

/** A picture to lay over: its bytes count up by 37. */
function source(width, height) {
    return testing.picture(width, height, Uint8Array.from({ length: width * height * 4 }, (_, n) => n * 37));
}

function points(words) {
    const numbers = words.map(Number);
    return numbers.flatMap((x, at) => (at % 2 ? [] : [{ x, y: numbers[at + 1] }]));
}

const CALLS = {
    lines: (canvas, [width, paint, ...places]) =>
        draw.lines(canvas, points(places), Number(width), `#${paint}`),
    disc: (canvas, [radius, paint, ...place]) =>
        draw.disc(canvas, points(place)[0], Number(radius), `#${paint}`),
    ellipse: (canvas, [across, down, degrees, paint, ...place]) => {
        const [radii] = points([across, down]);
        draw.ellipse(canvas, points(place)[0], radii, Number(degrees), `#${paint}`);
    },
    polygon: (canvas, [paint, ...places]) => draw.polygon(canvas, points(places), `#${paint}`),
    overlay: (canvas, words) => {
        const [width, height, x, y] = words.map(Number);
        draw.blit(canvas, source(width, height), { x, y });
    },
};

const blocks = readFileSync(GOLDEN, "utf8").trimEnd().split("\n\n").slice(1);

for (const block of blocks) {
    const [calls, expected] = block.split("\npixels\n");
    const [[, name, width, height, background], ...rest] = calls.split("\n").map((line) => line.split(" "));
    test(`${name} has the host's bytes`, () => {
        const canvas = new Canvas({ width: Number(width), height: Number(height) }, `#${background}`);
        for (const [call, ...words] of rest) CALLS[call](canvas, words);
        const rows = Buffer.from(testing.rgba(canvas)).toString("hex").match(new RegExp(`.{${width * 8}}`, "g"));
        assert.deepEqual(rows, expected.split("\n"));
    });
}

test("every drawing of the golden file was compared", () => assert.ok(blocks.length >= 7));

test("what cannot be drawn is refused with the host's words, and nothing is drawn", () => {
    const canvas = new Canvas({ width: 4, height: 4 });
    const at = { x: 1, y: 1 };
    for (const [call, message] of [
        [() => draw.disc(canvas, { x: NaN, y: 1 }, 1, "#ffffff"), "a coordinate is NaN, which is no finite number"],
        [() => draw.lines(canvas, [at], 1e39, "#ffffff"), "the width is Infinity, which is no finite number"],
        [() => draw.disc(canvas, at, 0, "#ffffff"), "the radius is 0, and it must be above 0"],
        [() => draw.ellipse(canvas, at, { x: 1, y: -2 }, 0, "#ffffff"), "a radius is -2, and it must be above 0"],
        [
            () => draw.polygon(canvas, Array(10001).fill(at), "#ffffff"),
            "10001 points are more than the 10000 that one call draws",
        ],
        [
            () => draw.blit(canvas, source(2, 2), at, { x: 1, y: 0, width: 2, height: 1 }),
            "2 x 1 pixels at (1, 0) do not lie inside 2 x 2",
        ],
    ]) {
        assert.throws(call, { name: "Refused", message });
    }
    assert.throws(() => draw.disc(canvas, { x: "1", y: 1 }, 1, "#ffffff"), TypeError);
    assert.deepEqual(testing.rgba(canvas), new Uint8Array(64));
});

test("a part of a picture is brought to another size and laid over by its alpha", () => {
    const half = testing.picture(2, 1, [0, 0, 0, 255, 255, 0, 0, 128]);
    const canvas = new Canvas({ width: 3, height: 2 }, "#0000ff");
    draw.blit(canvas, half, { x: 1, y: 0, width: 2, height: 2 }, { x: 1, y: 0, width: 1, height: 1 });
    const mixed = [128, 0, 127, 255];
    const row = [[0, 0, 255, 255], mixed, mixed].flat();
    assert.deepEqual([...testing.rgba(canvas)], [...row, ...row]);
});
