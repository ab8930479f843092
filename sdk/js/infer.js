// Runs a model of the host's by its name. plugin.toml asks for each with `model:NAME`.

import host from "#infer";

import { text } from "./checks.js";
import { ask } from "./failures.js";
import { lift, lower } from "./tensors.js";

export function run(model, inputs) {
    const lowered = inputs.map(lower);
    return ask(() => host.run(text(model), lowered)).map(lift);
}
