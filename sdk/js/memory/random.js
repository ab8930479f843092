// The host's random bytes: in a test they follow from `testing.seedWith` (a linear congruential
// generator; a job's follow from its seed).

import { refuse } from "./raster.js";

const MOST_BYTES = 65536;

let state = 1;

export function seedWith(seed) {
    state = (Math.imul(seed, 2654435761) + 1) >>> 0;
}

export default {
    bytes(count) {
        if (count > MOST_BYTES) {
            refuse(`${count} random bytes are too many at once; ${MOST_BYTES} are allowed`);
        }
        return Uint8Array.from({ length: count }, () => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return state >>> 24;
        });
    },
};
