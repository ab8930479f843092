// The examples of README.md: each block runs by itself, and the first plugin passes its own tests.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const SDK = fileURLToPath(new URL("../", import.meta.url));
const README = readFileSync(join(SDK, "README.md"), "utf8");
const FILE = /^`([\w./]+)`\n\n```\w+\n(.*?)^```$/gms;
const EXAMPLE = /(?<!\w`\n\n)^```js\n(.*?)^```$/gms;

const folder = mkdtempSync(join(tmpdir(), "atelier-guide-"));
mkdirSync(join(folder, "node_modules"));
symlinkSync(SDK, join(folder, "node_modules/atelier-plugin"));
after(() => rmSync(folder, { recursive: true }));

function write(name, text) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
}

const examples = [...README.matchAll(EXAMPLE)].map(([, example]) => example);

for (const [at, example] of examples.entries()) {
    test(`example ${at + 1} runs as it stands`, async () => {
        await import(pathToFileURL(write(`example-${at + 1}.mjs`, example)));
    });
}

test("no example is left out", () => assert.equal(examples.length, 7));

test("the first plugin passes its own tests", () => {
    const names = [...README.matchAll(FILE)].map(([, name, text]) => {
        write(name, text);
        return name;
    });
    assert.deepEqual(names, ["plugin.js", "parameters.schema.json", "tests/sepia.test.js"]);
    write("package.json", '{ "type": "module" }');
    // A test within a test would report to this one.
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const run = spawnSync(process.execPath, ["--test"], { cwd: folder, env, encoding: "utf8" });
    assert.equal(run.status, 0, run.stdout);
    assert.match(run.stdout, /pass 2/);
});
