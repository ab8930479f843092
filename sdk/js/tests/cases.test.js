// The cases of the projects in JavaScript, run natively. `atelier plugin test` runs their components.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import * as testing from "atelier-plugin/testing";

import { read } from "./png.js";

const PROJECTS = ["../../templates/js/", "../../../plugins/collage/"];

/** The part of TOML that cases are written in: one line for each key, its value nearly JSON. */
function parse(text) {
    const lines = text.split("\n").filter((line) => /^\w/.test(line));
    return Object.fromEntries(
        lines.map((line) => {
            const [, key, value] = /^(\w+) = (.*)$/.exec(line);
            return [key, JSON.parse(value.replace(/([{,] *)(\w+) = /g, '$1"$2": '))];
        }),
    );
}

for (const project of PROJECTS.map((path) => new URL(path, import.meta.url))) {
    const { prepare } = await import(new URL("plugin.js", project));
    const cases = new URL("cases/", project);
    for (const name of readdirSync(cases)) {
        test(`${project.pathname.split("/").at(-2)}: ${name}`, () => {
            const folder = new URL(`${name}/`, cases);
            const wanted = parse(readFileSync(new URL("case.toml", folder), "utf8"));
            const sources = wanted.inputs.map((input) => {
                const { width, height, rgba } = read(new URL(input, folder));
                return testing.picture(width, height, rgba);
            });
            const [width, height] = wanted.output;
            const schema = new URL("parameters.schema.json", project);
            const run = () => prepare(testing.request(sources, wanted.parameters, { width, height }, schema));
            if (wanted.fails) {
                assert.throws(run, ({ message }) => message.includes(wanted.fails));
                return;
            }
            const made = run();
            assert.equal(made.prompt ?? undefined, wanted.prompt);
            assert.equal(made.pictures.length, wanted.pictures.length);
            for (const [at, canvas] of made.pictures.entries()) {
                const expected = read(new URL(wanted.pictures[at], folder));
                assert.deepEqual(canvas.size, { width: expected.width, height: expected.height });
                const pixels = testing.rgba(canvas);
                const far = pixels.reduce((most, part, n) => Math.max(most, Math.abs(part - expected.rgba[n])), 0);
                assert.ok(far <= (wanted.tolerance ?? 0), `a channel differs by ${far}`);
            }
        });
    }
}
