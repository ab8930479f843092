// The host's models: what a test puts there with `testing.answerWith`.

import { refuse } from "./raster.js";

export const MODELS = new Map();

export default {
    run(model, inputs) {
        const answer = MODELS.get(model);
        if (answer) return answer(inputs);
        const hint = `testing.answerWith("${model}", …)`;
        return refuse({ tag: "missing", val: `the test has no model ${model}: ${hint}` });
    },
};
