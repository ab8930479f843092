// The type files name what the modules export, and nothing else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const MODULES = ["atelier-plugin", "draw", "infer", "log", "random", "settings", "testing"];

/** What a type file says is there when the plugin runs. */
function declared(types) {
    const names = /^export (?:class|function|const|\* as) (\w+)/gm;
    return [...types.matchAll(names)].map(([, name]) => name).sort();
}

for (const name of MODULES) {
    test(`${name}.d.ts names what ${name}.js exports`, async () => {
        const types = readFileSync(new URL(`../${name}.d.ts`, import.meta.url), "utf8");
        assert.deepEqual(declared(types), Object.keys(await import(`../${name}.js`)).sort());
    });
}
