// A schema is understood in full or stops the build; parameters are held to it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Schema } from "../schema.js";

function schema(properties, more = {}) {
    return new Schema(JSON.stringify({ type: "object", properties, additionalProperties: false, ...more }));
}

test("what is not understood stops the build", () => {
    for (const [rules, message] of [
        [{ type: "integer", multipleOf: 2 }, /property x has multipleOf, which the SDK does not check/],
        [{ type: "object" }, /property x must have a type: string, integer/],
        [{ type: "array", items: { type: "null" } }, /property x\[\] must have a type/],
        [{ type: "array" }, /property x\[\] is not an object/],
        [{ type: "integer", maximum: 5, default: 6 }, /the default of property x is 6/],
    ]) {
        assert.throws(() => schema({ x: rules }), message);
    }
    for (const text of ['{"type": "object"}', '{"additionalProperties": false}', "[]", "{", "null"]) {
        assert.throws(() => new Schema(text), text);
    }
});

test("no schema takes no parameters", () => {
    assert.deepEqual(new Schema().parameters("{}"), {});
    assert.throws(() => new Schema().parameters('{"x": 1}'), /there is no such parameter; there are: none/);
});

test("defaults fill in, and a property without one stays away", () => {
    const checks = schema({ count: { type: "integer", default: 4 }, name: { type: "string" } });
    assert.deepEqual(checks.parameters("{}"), { count: 4 });
    assert.deepEqual(checks.parameters('{"count": 7.0, "name": "a"}'), { count: 7, name: "a" });
    const first = schema({ list: { type: "array", items: { type: "string" }, default: [] } });
    first.parameters("{}").list.push("x");
    assert.deepEqual(first.parameters("{}").list, [], "one call's default is not another's");
});

test("each rule refuses by name", () => {
    for (const [rules, value, message] of [
        [{ type: "integer" }, 1.5, "x: is 1.5, and must be a whole number"],
        [{ type: "integer" }, true, "x: is true, and must be a whole number"],
        [{ type: "number", minimum: 0.5 }, 0.25, "x: is 0.25, and must be at least 0.5"],
        [{ type: "integer", maximum: 3 }, 4, "x: is 4, and must be at most 3"],
        [{ type: "boolean" }, 1, "x: is 1, and must be true or false"],
        [{ type: "string", enum: ["a", "b"] }, "c", 'x: is "c", and must be one of "a", "b"'],
        [{ type: "string", pattern: "^a" }, "b", 'x: is "b", and must be like ^a'],
        [{ type: "string", maxLength: 1 }, "\u{1f600}b", "and must be at most 1 characters long"],
        [{ type: "array", items: { type: "string" } }, ["a", 2], "x[1]: is 2, and must be a text"],
        [{ type: "array", items: { type: "string" }, maxItems: 1 }, ["a", "b"], "at most 1 entries long"],
    ]) {
        const call = () => schema({ x: rules }).parameters(JSON.stringify({ x: value }));
        assert.throws(call, (error) => error.name === "ParameterFailure" && error.message.includes(message));
    }
    const emoji = schema({ x: { type: "string", maxLength: 1 } });
    assert.deepEqual(emoji.parameters('{"x": "\u{1f600}"}'), { x: "\u{1f600}" });
});

test("what is missing or unknown is named", () => {
    const checks = schema({ a: { type: "string" }, b: { type: "string" } }, { required: ["a"] });
    for (const [text, parameter, reason] of [
        ["{}", "a", /^is required$/],
        ['{"a": "x", "c": 1}', "c", /^there is no such parameter; there are: a, b$/],
        ['{"a": "x", "__proto__": 1}', "__proto__", /^there is no such parameter/],
        ["[]", "", /^not a JSON object$/],
        ["{", "", /^not a JSON object: /],
    ]) {
        const call = () => checks.parameters(text);
        assert.throws(call, (error) => error.parameter === parameter && reason.test(error.reason));
    }
});
