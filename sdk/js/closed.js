// Says in JavaScript what a component does not have.
//
// There is no clock in a component, and componentize-qjs puts a trap where it was: the call would end
// without a word. Only serve.js calls `close`, after the author's modules were evaluated.

import * as log from "./log.js";

/** Lets the console write to the job's log, and what asks for the time throw. */
export function close() {
    const console = { debug: say("debug"), log: say("info"), info: say("info") };
    const { Date: Calendar } = globalThis;
    class Date extends Calendar {
        constructor(...parts) {
            if (parts.length === 0) noClock("new Date()");
            super(...parts);
        }

        static now() {
            noClock("Date.now");
        }
    }
    Object.assign(globalThis, {
        console: { ...console, warn: say("warn"), error: say("error") },
        Date,
        performance: { now: () => noClock("performance.now") },
    });
}

function noClock(name) {
    throw new Error(`${name}: a plugin has no clock`);
}

function say(level) {
    return (...parts) => {
        const shown = (part) => (typeof part === "object" ? JSON.stringify(part) : String(part));
        for (const line of parts.map(shown).join(" ").split("\n")) log[level](line);
    };
}
