/**
 * Numbers that nobody can guess from the picture but that are the same each time the job runs: they follow
 * from the job's seed. `plugin.toml` asks for them with `random`. `Math.random` is no substitute: its seed
 * is baked into the component.
 */

/** The next bytes, at most 65536 at once. Throws `Refused` where nobody granted them. */
export function bytes(count: number): Uint8Array;

/** A number from 0 up to but not including 1, of 32 bits. Throws `Refused` where nobody granted them. */
export function number(): number;
