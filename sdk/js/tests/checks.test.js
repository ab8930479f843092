// Numbers are checked before the bindings see them: those would wrap what does not fit, silently.

import assert from "node:assert/strict";
import { test } from "node:test";

import { colour, within } from "atelier-plugin";

import { point, region, signed, size, text, whole } from "../checks.js";

test("a number that does not fit is named", () => {
    for (const [call, error, message] of [
        [() => size({ width: 2.5, height: 1 }), TypeError, /^width is 2.5, not a whole number/],
        [() => size({ width: "2", height: 1 }), TypeError, /^width is 2, not a whole number/],
        [() => size({ width: 1 }), TypeError, /^height is undefined/],
        [() => size({ width: 1, height: -1 }), RangeError, /^height is -1; it must be 0 to 4294967295$/],
        [() => region({ x: 0, y: 2 ** 32, width: 1, height: 1 }), RangeError, /^y is 4294967296/],
        [() => signed("x", 2 ** 31), RangeError, /must be -2147483648 to 2147483647$/],
        [() => whole("x", NaN), TypeError, /^x is NaN/],
        [() => point({ x: "1", y: 1 }), TypeError, /^x is 1, not a number$/],
        [() => colour({ r: 0, g: 0, b: 256 }), RangeError, /^a colour's part is 256/],
        [() => colour("red"), TypeError, /^"red" is not a colour like #rrggbb/],
        [() => colour("#12345"), TypeError, /is not a colour/],
    ]) {
        assert.throws(call, (thrown) => thrown instanceof error && message.test(thrown.message));
    }
});

test("a colour is read from text and from parts", () => {
    assert.deepEqual(colour("#FF8000"), { r: 255, g: 128, b: 0, a: 255 });
    assert.deepEqual(colour("#ff800040"), { r: 255, g: 128, b: 0, a: 64 });
    assert.deepEqual(colour({ r: 1, g: 2, b: 3 }), { r: 1, g: 2, b: 3, a: 255 });
});

test("a size keeps its aspect within a box", () => {
    const box = (width, height) => ({ width, height });
    assert.deepEqual(within(box(4000, 3000), box(512, 512)), box(512, 384));
    assert.deepEqual(within(box(3000, 4000), box(512, 512)), box(384, 512));
    assert.deepEqual(within(box(10, 10), box(40, 20)), box(20, 20));
    assert.deepEqual(within(box(10000, 1), box(100, 100)), box(100, 1));
});

test("half a surrogate pair becomes a question mark", () => {
    assert.equal(text("a\ud800b\u{1f600}\udc00"), "a?b\u{1f600}?");
    assert.equal(text(12), "12");
});
