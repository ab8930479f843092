// What plugin.toml has to ask for: models, settings and random numbers, as a test answers them.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Refused } from "atelier-plugin";
import * as infer from "atelier-plugin/infer";
import * as random from "atelier-plugin/random";
import * as settings from "atelier-plugin/settings";
import * as testing from "atelier-plugin/testing";

beforeEach(testing.reset);

test("a model is answered by the test", () => {
    testing.answerWith("double", ([given]) => {
        assert.deepEqual([given.name, given.shape, given.kind], ["image", [1, 2], "bytes"]);
        return [{ name: "out", shape: [2], numbers: [...given.numbers].map((number) => 2 * number) }];
    });
    const image = { name: "image", shape: [1, 2], numbers: Uint8Array.of(3, 4), kind: "bytes" };
    const [out] = infer.run("double", [image]);
    assert.deepEqual(out, { name: "out", shape: [2], numbers: [6, 8], kind: "floats" });
});

test("what goes wrong with a model has a kind", () => {
    assert.throws(() => infer.run("absent", []), { name: "Refused", kind: "missing" });
    testing.answerWith("picky", () => {
        throw new Refused("it takes one tensor", "input");
    });
    assert.throws(() => infer.run("picky", []), { kind: "input", message: "it takes one tensor" });
    testing.answerWith("broken", () => {
        throw new TypeError("the test is wrong");
    });
    assert.throws(() => infer.run("broken", []), TypeError);
});

test("a tensor is checked before it is sent", () => {
    testing.answerWith("any", (inputs) => inputs);
    for (const [tensor, error] of [
        [{ shape: [1], numbers: [2 ** 31], kind: "integers" }, RangeError],
        [{ shape: [1], numbers: [1.5], kind: "integers" }, TypeError],
        [{ shape: [1], numbers: [256], kind: "bytes" }, RangeError],
        [{ shape: [-1], numbers: [1] }, RangeError],
        [{ shape: [1], numbers: [1], kind: "doubles" }, TypeError],
    ]) {
        assert.throws(() => infer.run("any", [tensor]), error);
    }
});

test("random numbers follow from the seed", () => {
    const drawn = (seed) => {
        testing.seedWith(seed);
        return [...random.bytes(5), random.number()];
    };
    assert.deepEqual(drawn(7), drawn(7));
    assert.notDeepEqual(drawn(7), drawn(8));
    const many = Array.from({ length: 1000 }, random.number);
    assert.ok(many.every((number) => number >= 0 && number < 1));
    assert.equal(random.bytes(65536).length, 65536);
    assert.throws(() => random.bytes(65537), /^Refused: 65537 random bytes are too many at once/);
    assert.throws(() => random.bytes(-1), RangeError);
});

test("a setting is what JSON has, or what is used otherwise", () => {
    testing.settings.studio = { name: "North", rooms: [1, 2] };
    assert.deepEqual(settings.get("studio"), { name: "North", rooms: [1, 2] });
    assert.equal(settings.get("absent"), null);
    assert.equal(settings.get("absent", 3), 3);
    assert.equal(settings.get("toString"), null);
});
