/** Runs a model of the host's by its name. `plugin.toml` asks for each with `model:NAME`. */

/** Numbers in a shape, row-major: the last dimension's lie side by side. */
export interface Tensor {
    /** Of the model's input or output. An input's may be left out: then the order counts. */
    readonly name?: string;
    /** Its product is the count of the numbers. */
    readonly shape: readonly number[];
    readonly numbers: ArrayLike<number>;
    /** 32-bit `floats`, which is meant where it is left out, 32-bit signed `integers`, or `bytes`. */
    readonly kind?: "floats" | "integers" | "bytes";
}

/**
 * Runs a model once. Numbers are converted to what the model takes where that loses nothing but precision.
 * Throws `Refused` with the host's sentence and a `kind`.
 */
export function run(model: string, inputs: readonly Tensor[]): Required<Tensor>[];
