// Tensors on their way to the host and back, for infer.js and for an author's tests.

import { text, whole } from "./checks.js";

const CHECKS = {
    floats: (numbers) => Array.from(numbers, Number),
    integers: (numbers) =>
        Array.from(numbers, (number) => whole("a tensor's number", number, -(2 ** 31), 2 ** 31 - 1)),
    bytes: (numbers) => Uint8Array.from(numbers, (byte) => whole("a byte", byte, 0, 255)),
};

/** A tensor as the bindings want it. */
export function lower({ name = "", shape, numbers, kind = "floats" }) {
    if (!Object.hasOwn(CHECKS, kind)) {
        throw new TypeError(`a tensor's kind is floats, integers or bytes, not ${kind}`);
    }
    return {
        name: text(name),
        shape: Array.from(shape, (side) => whole("a tensor's side", side)),
        numbers: { tag: kind, val: CHECKS[kind](numbers) },
    };
}

/** A tensor of the bindings as the author sees it. */
export function lift({ name, shape, numbers }) {
    return { name, shape: [...shape], numbers: numbers.val, kind: numbers.tag };
}
