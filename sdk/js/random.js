// Numbers that are the same each time the job runs: they follow from its seed. plugin.toml asks
// for them with `random`.

import host from "#random";

import { whole } from "./checks.js";
import { ask } from "./failures.js";

export function bytes(count) {
    const wanted = whole("a count of bytes", count);
    return ask(() => host.bytes(wanted));
}

/** A number from 0 up to but not including 1, of 32 bits. */
export function number() {
    const [a, b, c, d] = bytes(4);
    return (a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24) / 2 ** 32;
}
