// Pictures in memory have the host's rules and sentences.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Canvas, SourceFailure, log } from "atelier-plugin";
import * as testing from "atelier-plugin/testing";

/** A picture whose pixels are numbered from 1, the same number in all four bytes. */
function numbered(width, height) {
    const pixels = Uint8Array.from({ length: width * height * 4 }, (_, at) => 1 + (at >> 2));
    return testing.picture(width, height, pixels);
}

const reds = (pixels) => [...pixels].filter((_, at) => at % 4 === 0);
const region = (x, y, width, height) => ({ x, y, width, height });

test("a region is read and written row by row", () => {
    const picture = numbered(3, 3);
    assert.deepEqual(picture.size, { width: 3, height: 3 });
    assert.equal(picture.format, null);
    const pixels = picture.read(region(1, 1, 2, 2));
    assert.deepEqual(reds(pixels), [5, 6, 8, 9]);
    const canvas = new Canvas({ width: 3, height: 3 });
    canvas.write(pixels, region(0, 1, 2, 2));
    assert.deepEqual(reds(testing.rgba(canvas)), [0, 0, 0, 5, 6, 0, 8, 9, 0]);
    canvas.fill("#07070707", region(2, 0, 1, 3));
    assert.deepEqual(reds(canvas.snapshot().read()), [0, 0, 7, 5, 6, 7, 8, 9, 7]);
});

test("a paste over the edges keeps what is inside", () => {
    for (const [x, y, expected] of [
        [0, 0, [1, 2, 0, 3, 4, 0]],
        [-1, -1, [4, 0, 0, 0, 0, 0]],
        [2, 1, [0, 0, 0, 0, 0, 1]],
        [3, 0, [0, 0, 0, 0, 0, 0]],
        [-(2 ** 31), 2 ** 31 - 1, [0, 0, 0, 0, 0, 0]],
    ]) {
        const canvas = new Canvas({ width: 3, height: 2 });
        canvas.paste(numbered(2, 2), x, y);
        assert.deepEqual(reds(testing.rgba(canvas)), expected, `at (${x}, ${y})`);
    }
});

test("what the host refuses is refused with its words", () => {
    const picture = numbered(2, 2);
    const canvas = new Canvas({ width: 2, height: 2 });
    for (const [call, message] of [
        [() => new Canvas({ width: 0, height: 4 }), "a picture of 0 x 4 pixels has none"],
        [() => new Canvas({ width: 20000, height: 1 }), "20000 x 1 pixels: a side may have 16384"],
        [() => picture.resized({ width: 1, height: 0 }), "a picture of 1 x 0 pixels has none"],
        [() => picture.read(region(1, 0, 2, 2)), "2 x 2 pixels at (1, 0) do not lie inside 2 x 2"],
        [() => canvas.fill("#000000", region(0, 0, 0, 1)), "0 x 1 pixels at (0, 0) do not lie inside 2 x 2"],
        [() => canvas.write(new Uint8Array(15)), "a region of 2 x 2 pixels is 16 bytes, not 15"],
    ]) {
        assert.throws(call, { name: "Refused", message, kind: undefined });
    }
    assert.throws(() => canvas.write(Array(16).fill(0)), /the pixels are not a Uint8Array/);
});

test("a view of other bytes is written as it is", () => {
    const canvas = new Canvas({ width: 1, height: 1 });
    canvas.write(new Uint8ClampedArray([0, 0, 0, 0, 1, 2, 3, 4]).subarray(4));
    assert.deepEqual([...testing.rgba(canvas)], [1, 2, 3, 4]);
});

test("a snapshot stays as it was", () => {
    const canvas = new Canvas({ width: 1, height: 1 }, { r: 1, g: 2, b: 3 });
    const before = canvas.snapshot();
    canvas.fill("#ffffff");
    assert.deepEqual([...before.read()], [1, 2, 3, 255]);
});

test("a resized picture keeps one colour, and no hidden one bleeds", () => {
    const flat = testing.picture(7, 3, Uint8Array.from({ length: 84 }, (_, at) => [10, 20, 30, 255][at % 4]));
    for (const [width, height] of [[1, 1], [20, 2], [2, 20]]) {
        assert.deepEqual([...flat.resized({ width, height }).read().subarray(0, 4)], [10, 20, 30, 255]);
    }
    const row = Array.from({ length: 64 }, (_, x) => (x < 32 ? [255, 0, 0, 255] : [0, 255, 0, 0]));
    const small = testing.picture(64, 1, row.flat()).resized({ width: 16, height: 1 }).read();
    assert.ok(small.every((part, at) => at % 4 !== 1 || part === 0), "green came from under the alpha");
    assert.deepEqual([...small.subarray(0, 4)], [255, 0, 0, 255]);
    assert.equal(small.at(-1), 0);
});

test("onlyPicture takes exactly one", () => {
    const picture = numbered(1, 1);
    assert.equal(testing.request([picture]).onlyPicture(), picture);
    const two = testing.request([picture, "{}"]);
    assert.throws(() => two.onlyPicture(), { name: "SourceFailure", message: /is 1 pictures and 1 documents$/ });
    assert.ok(new SourceFailure("x") instanceof Error);
});

test("what is logged is kept for tests", () => {
    testing.reset();
    log.warn("half a pair: \ud800");
    log.progress(0.5);
    assert.deepEqual(testing.lines, [["warn", "half a pair: ?"]]);
});
