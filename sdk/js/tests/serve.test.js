// What the bindings call: requests become the author's, and whatever happens becomes an answer.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Canvas, Failure, ParameterFailure, SourceFailure } from "atelier-plugin";
import { preparer } from "atelier-plugin/serve";
import * as testing from "atelier-plugin/testing";

const SCHEMA = `{"type": "object", "additionalProperties": false,
    "properties": {"size": {"type": "integer", "maximum": 9, "default": 3}}}`;
const { console, Date, performance } = globalThis;

afterEach(() => {
    Object.assign(globalThis, { console, Date });
    Object.defineProperty(globalThis, "performance", { value: performance, configurable: true, writable: true });
    testing.reset();
});

const made = (prepare, takes = ["picture"]) => preparer({ takes, prepare }, "x", "1.2.3", "Does x.", SCHEMA);

function asked(prepare, parameters = "{}") {
    const picture = testing.picture(1, 1, [0, 0, 0, 0]).handle;
    const sources = [
        { tag: "picture", val: picture },
        { tag: "document", val: "{}" },
    ];
    return made(prepare).prepare({ sources, parameters, output: { width: 64, height: 32 } });
}

/** What the interface's failure is. */
function refused(prepare, parameters) {
    try {
        asked(prepare, parameters);
    } catch (failure) {
        return failure;
    }
    throw new Error("it did not fail");
}

test("a request and an outcome pass", () => {
    const outcome = asked((request) => {
        assert.deepEqual(request.output, { width: 64, height: 32 });
        assert.deepEqual(request.parameters, { size: 3 });
        assert.deepEqual(request.pictures.map(({ size }) => size), [{ width: 1, height: 1 }]);
        assert.deepEqual(request.documents, ["{}"]);
        const canvas = new Canvas({ width: 2, height: 2 });
        return { pictures: [canvas], prompt: "in {image}\ud800", keypoints: { people: [] }, notes: { size: 3 } };
    });
    assert.deepEqual(outcome.pictures.map((handle) => handle.size()), [{ width: 2, height: 2 }]);
    assert.equal(outcome.prompt, "in {image}?");
    assert.equal(outcome.keypoints, '{"people":[]}');
    assert.deepEqual(outcome.notes, [{ key: "size", value: "3" }]);
});

test("what is left out of an outcome is none", () => {
    assert.deepEqual(asked(() => ({})), { pictures: [], prompt: null, keypoints: null, notes: [] });
    assert.equal(asked(() => ({ keypoints: "[]" })).keypoints, "[]");
});

test("what it is comes from the package", () => {
    const takes = ["picture", "document"];
    const description = { name: "x", version: "1.2.3", summary: "Does x.", parameters: SCHEMA, takes };
    assert.deepEqual(made(() => ({}), takes).describe(), description);
});

test("failures are cases of the interface", () => {
    const failing = (failure) => () => {
        throw failure;
    };
    assert.deepEqual(refused(failing(new ParameterFailure("size", "is odd"))), {
        tag: "parameter",
        val: ["size", "is odd"],
    });
    assert.deepEqual(refused(failing(new SourceFailure("too dark"))), { tag: "source", val: "too dark" });
    assert.deepEqual(refused(failing(new Failure("no luck"))), { tag: "other", val: "no luck" });
    const wrong = refused(() => ({}), '{"size": 10}');
    assert.deepEqual(wrong, { tag: "parameter", val: ["size", "is 10, and must be at most 9"] });
});

test("a mistake is told and logged, and a panic of any kind is one", () => {
    const mistake = refused((request) => request.nothing.there);
    assert.equal(mistake.tag, "other");
    assert.match(mistake.val, /^TypeError: Cannot read properties of undefined .*serve\.test\.js:\d+:\d+\)\)?$/);
    assert.deepEqual(testing.lines, [["error", mistake.val]]);
    for (const thrown of ["words", undefined, null, 7]) {
        const failure = refused(() => {
            throw thrown;
        });
        assert.deepEqual(failure, { tag: "other", val: String(thrown) });
    }
});

test("what is no outcome is refused", () => {
    const canvas = new Canvas({ width: 1, height: 1 });
    for (const [outcome, message] of [
        [undefined, /prepare returned no outcome/],
        [Promise.resolve({}), /prepare is async, and a plugin has nothing to wait for/],
        [{ pictures: [testing.picture(1, 1, [0, 0, 0, 0])] }, /picture 0 is not a Canvas/],
        [{ pictures: [canvas, canvas] }, /one canvas is twice/],
    ]) {
        assert.match(refused(() => outcome).val, message);
    }
});

test("a module that is no plugin stops the build", () => {
    for (const takes of [undefined, [], "picture", ["film"]]) {
        assert.throws(() => preparer({ takes, prepare() {} }, "x", "1", "x", SCHEMA), /must export const takes/);
    }
    assert.throws(() => preparer({ takes: ["picture"] }, "x", "1", "x", SCHEMA), /does not export a function prepare/);
});

test("what asks for the time says that there is none, and dates are still dates", () => {
    for (const [call, name] of [
        [() => new globalThis.Date(), "new Date()"],
        [() => globalThis.Date.now(), "Date.now"],
        [() => globalThis.performance.now(), "performance.now"],
    ]) {
        assert.ok(refused(call).val.startsWith(`Error: ${name}: a plugin has no clock (at `));
        testing.reset();
    }
    asked(() => {
        assert.equal(new globalThis.Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
        return {};
    });
});

test("the console writes to the job's log, a line at a time", () => {
    made(() => ({}));
    globalThis.console.log("a", { b: 1 }, "\nc");
    globalThis.console.error("d");
    assert.deepEqual(testing.lines, [["info", 'a {"b":1} '], ["info", "c"], ["error", "d"]]);
});
