// Runs a model of the host's by its name. plugin.toml asks for each with `model:NAME`.

import host from "#infer";

import { text, whole } from "./checks.js";
import { ask } from "./failures.js";

export function run(model, inputs) {
    const lowered = inputs.map(lower);
    return ask(() => host.run(text(model), lowered)).map(({ name, shape, numbers }) => ({
        name,
        shape: [...shape],
        numbers: numbers.val,
        kind: numbers.tag,
    }));
}

const CHECKS = {
    floats: (numbers) => Array.from(numbers, Number),
    integers: (numbers) =>
        Array.from(numbers, (number) => whole("a tensor's number", number, -(2 ** 31), 2 ** 31 - 1)),
    bytes: (numbers) => Uint8Array.from(numbers, (byte) => whole("a byte", byte, 0, 255)),
};

function lower({ name = "", shape, numbers, kind = "floats" }) {
    if (!Object.hasOwn(CHECKS, kind)) {
        throw new TypeError(`a tensor's kind is floats, integers or bytes, not ${kind}`);
    }
    return {
        name: text(name),
        shape: Array.from(shape, (side) => whole("a tensor's side", side)),
        numbers: { tag: kind, val: CHECKS[kind](numbers) },
    };
}
