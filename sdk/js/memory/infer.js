// The host's models: what a test puts into `testing.models`.

import { refuse } from "./raster.js";

export const MODELS = {};

export default {
    run: (model, inputs) =>
        Object.hasOwn(MODELS, model)
            ? MODELS[model](inputs)
            : refuse({ tag: "missing", val: `the test has no model ${model}` }),
};
