/**
 * What a plugin's tests are made of, under node. A component has none of it.
 *
 *     const grey = testing.picture(1, 1, [9, 9, 9, 255]);
 *     const schema = new URL("../parameters.schema.json", import.meta.url);
 *     const made = prepare(testing.request([grey], { strength: 80 }, undefined, schema));
 *     assert.deepEqual([...testing.rgba(made.pictures[0])], [9, 9, 9, 255]);
 */

import type { Canvas, Picture, Request, Size } from "./atelier-plugin.js";
import type { Tensor } from "./infer.js";

/** A picture of these pixels: width × height × 4 bytes. `media` is its file's type, `image/png` say. */
export function picture(width: number, height: number, rgba: ArrayLike<number>, media?: string): Picture;

/** A copy of all pixels of a picture or canvas. */
export function rgba(of: Picture | Canvas): Uint8Array;

/**
 * What a job would ask, its parameters checked against the schema's file (a path, or a `URL` of one);
 * `output` is 1024 × 1024 where it is left out.
 */
export function request(
    sources: readonly (Picture | string)[],
    parameters?: Record<string, unknown>,
    output?: Size,
    schema?: string | { readonly href: string },
): Request;

/** Lets `answer` stand for a model of the host's. It may throw `Refused` with a kind. */
export function answerWith(model: string, answer: (inputs: Required<Tensor>[]) => readonly Tensor[]): void;

/** What `settings.get` finds: a value for each key, of those that JSON has. */
export const settings: Record<string, unknown>;

/** Lets `random` begin anew, with the numbers of this seed. They are not those of a job. */
export function seedWith(seed: number): void;

/** What was logged: pairs of level and line. */
export const lines: ["debug" | "info" | "warn" | "error", string][];

/** Forgets models, settings and what was logged, and seeds `random` with 0. */
export function reset(): void;
