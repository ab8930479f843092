// The host's random bytes: the same in every test (a linear congruential generator).

let state = 1;

export default {
    bytes: (count) =>
        Uint8Array.from({ length: count }, () => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return state >>> 24;
        }),
};
