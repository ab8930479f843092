/**
 * What the author of an Atelier plugin imports.
 *
 * A plugin is a file `plugin.js` that exports what it `takes` and a function `prepare`:
 *
 *     import { Canvas } from "atelier-plugin";
 *
 *     export const takes = ["picture"];
 *
 *     export function prepare(request) {
 *         const picture = request.onlyPicture();
 *         const canvas = new Canvas(picture.size);
 *         canvas.paste(picture, 0, 0);
 *         return { pictures: [canvas] };
 *     }
 *
 * Its name, version and summary are in `plugin.toml`, its parameters in `parameters.schema.json`.
 * What the host refuses is thrown as a {@link Refused} with the host's own sentence; a number that
 * is of the wrong kind, as a `TypeError` or `RangeError` that names it.
 */

export * as draw from "./draw.js";
export * as log from "./log.js";

/** Width and height in pixels, each a whole number of at least 1. */
export interface Size {
    readonly width: number;
    readonly height: number;
}

/** A rectangle of whole pixels, `x` and `y` its top left corner; it must lie inside its picture. */
export interface Region extends Size {
    readonly x: number;
    readonly y: number;
}

/** A place on a canvas in pixels: (0, 0) is its top left corner, (0.5, 0.5) the middle of the first one. */
export interface Point {
    readonly x: number;
    readonly y: number;
}

/** R, G, B and A, whole numbers from 0 to 255, not premultiplied, sRGB; an `a` that is left out is 255. */
export interface Parts {
    readonly r: number;
    readonly g: number;
    readonly b: number;
    readonly a?: number;
}

/** `#rrggbb`, `#rrggbbaa`, or the parts. */
export type Colour = string | Parts;

/** A picture that exists; it cannot be changed. */
export class Picture {
    private constructor();
    private readonly handle: unknown;

    /** Its width and height in pixels. */
    get size(): Size;
    /**
     * The media type of the file that it came from, `image/jpeg` say; null for a picture that another
     * plugin made. The pixels are upright and sRGB whatever the file said.
     */
    get format(): string | null;
    /**
     * The pixels of a region, or of all: width × height × 4 bytes, R, G, B, A, rows top to bottom. They
     * are a copy, which may be changed. Each pixel that is read costs time: ask for few.
     */
    read(region?: Region): Uint8Array;
    /** A copy of another size, made by the host (Lanczos, three lobes). */
    resized(size: Size): Picture;
}

/** A new picture, all pixels transparent black until something is put on it. */
export class Canvas {
    /** A blank canvas, or one filled with `background`. */
    constructor(size: Size, background?: Colour);
    private readonly handle: unknown;

    /** Its width and height in pixels. */
    get size(): Size;
    /** Sets all pixels of a region, or of all, to one colour. */
    fill(colour: Colour, region?: Region): void;
    /** Puts width × height × 4 bytes at a region, or on all. */
    write(pixels: Uint8Array | Uint8ClampedArray, region?: Region): void;
    /**
     * Puts a picture's pixels, alpha and all, with its top left corner at (x, y), whole numbers that may
     * lie outside; what falls outside is dropped. `draw.blit` lays over instead.
     */
    paste(picture: Picture, x: number, y: number): void;
    /** What is on it now, as a picture that can be read, resized and pasted. */
    snapshot(): Picture;
}

/** What the host asks for. Name the parameters' types for a checker: `Request<{ strength: number }>`. */
export class Request<Parameters = Record<string, any>> {
    /** What the reference names, in its order; at least one. A document is its text. */
    readonly sources: ReadonlyArray<Picture | string>;
    /**
     * The parameters of the job's `prepare` entry, checked against `parameters.schema.json` and with its
     * defaults filled in. A property without a default is absent where the job left it out.
     */
    readonly parameters: Parameters;
    /** The size of the picture that the job makes. */
    readonly output: Size;

    /** Those sources that are pictures. */
    get pictures(): Picture[];
    /** The texts of those sources that are documents. */
    get documents(): string[];
    /** The picture, where the reference is exactly one; throws a {@link SourceFailure} otherwise. */
    onlyPicture(): Picture;
}

/** What came out: what `prepare` returns. It returns at once: a promise is refused. */
export interface Outcome {
    /**
     * Used as references in this order, or given to the job's next plugin. May be left out where there are
     * keypoints for a next plugin.
     */
    readonly pictures?: readonly Canvas[];
    /** Words to add to the prompt. `{image}` in them becomes the number of the first picture. */
    readonly prompt?: string | null;
    /** Keypoints found or used, as OpenPose JSON: its text, or what `JSON.stringify` makes it of. */
    readonly keypoints?: string | object | null;
    /**
     * Facts for the provenance record, which is signed and public: nothing private belongs here. At most
     * 32; a key is 1 to 64 of a–z, 0–9, _, - and ., a value becomes one line of at most 1000 characters.
     */
    readonly notes?: Readonly<Record<string, string | number | boolean>>;
}

/** Why there is no picture: a sentence that is shown to the user as it is. */
export class Failure extends Error {}

/** A parameter is missing or wrong: its name, and what is wrong with it. */
export class ParameterFailure extends Failure {
    constructor(parameter: string, reason: string);
    readonly parameter: string;
    readonly reason: string;
}

/** The reference cannot be used: what is wrong with it. */
export class SourceFailure extends Failure {}

/** The host said no, and why: a region outside the picture, a permission that is not granted. */
export class Refused extends Failure {
    constructor(message: string, kind?: Trouble);
    /** A word for programs where the host gives one, which only `infer` does. */
    readonly kind: Trouble | undefined;
}

/**
 * Why a model gave no answer: `denied` (nobody granted it), `missing` (the host has none of that name),
 * `input` (the tensors are not what it takes) or `failed`.
 */
export type Trouble = "denied" | "missing" | "input" | "failed";

/** The parts of a colour, checked. */
export function colour(given: Colour): Required<Parts>;

/** The largest size of the aspect of `inner` that fits `box`, each side at least 1. */
export function within(inner: Size, box: Size): Size;
