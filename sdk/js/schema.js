// Checks a job's parameters against parameters.schema.json and fills in its defaults.
//
// The schema is what a form is made of, so it is the one place where a parameter is described.
// Only the part of JSON Schema that a form can show is understood; anything else stops the build,
// because a rule that nobody checks is worse than none.

import { ParameterFailure } from "./failures.js";

export const EMPTY = '{"type":"object","properties":{},"additionalProperties":false}';

const NOTES = ["title", "description", "examples", "default", "$comment", "$schema"];
const LIMITS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];
const RULES = ["type", "enum", "pattern", "items", ...LIMITS, ...NOTES];
const OBJECT = ["type", "properties", "required", "additionalProperties", ...NOTES];

const TYPES = {
    string: ["a text", (value) => typeof value === "string"],
    integer: ["a whole number", Number.isInteger],
    number: ["a number", Number.isFinite],
    boolean: ["true or false", (value) => typeof value === "boolean"],
    array: ["a list", Array.isArray],
};

export class Schema {
    /** Throws where something in the schema is not understood. */
    constructor(text = EMPTY) {
        const root = JSON.parse(text);
        understood("the schema", root, OBJECT);
        if (root.type !== "object" || root.additionalProperties !== false) {
            throw new Error('the schema must have "type": "object", "additionalProperties": false');
        }
        this.properties = root.properties ?? {};
        this.required = root.required ?? [];
        for (const [name, rules] of Object.entries(this.properties)) checkRules(name, rules);
    }

    /** The checked parameters of a JSON object, with defaults; throws a ParameterFailure. */
    parameters(text) {
        let given;
        try {
            given = JSON.parse(text);
        } catch (error) {
            throw new ParameterFailure("", `not a JSON object: ${error.message}`);
        }
        if (given === null || typeof given !== "object" || Array.isArray(given)) {
            throw new ParameterFailure("", "not a JSON object");
        }
        for (const name of Object.keys(given)) {
            if (!Object.hasOwn(this.properties, name)) {
                const known = Object.keys(this.properties).join(", ") || "none";
                const reason = `there is no such parameter; there are: ${known}`;
                throw new ParameterFailure(name, reason);
            }
        }
        for (const name of this.required) {
            if (!Object.hasOwn(given, name)) throw new ParameterFailure(name, "is required");
        }
        const values = {};
        for (const [name, rules] of Object.entries(this.properties)) {
            if (Object.hasOwn(given, name)) values[name] = checked(name, rules, given[name]);
            // Checked again for the sake of the copy: a plugin may change its parameters.
            else if (Object.hasOwn(rules, "default")) values[name] = checked(name, rules, rules.default);
        }
        return values;
    }
}

function understood(where, rules, known) {
    if (rules === null || typeof rules !== "object") throw new Error(`${where} is not an object`);
    for (const key of Object.keys(rules)) {
        if (!known.includes(key)) {
            throw new Error(`${where} has ${key}, which the SDK does not check: leave it out`);
        }
    }
}

function checkRules(name, rules) {
    understood(`property ${name}`, rules, RULES);
    if (!Object.hasOwn(TYPES, rules.type)) {
        throw new Error(`property ${name} must have a type: ${Object.keys(TYPES).join(", ")}`);
    }
    if (rules.type === "array") checkRules(`${name}[]`, rules.items);
    if (!Object.hasOwn(rules, "default")) return;
    try {
        checked(name, rules, rules.default);
    } catch (failure) {
        throw new Error(`the default of property ${name} ${failure.reason}`);
    }
}

function checked(name, rules, value) {
    const refuse = (must) => {
        throw new ParameterFailure(name, `is ${shown(value)}, and must be ${must}`);
    };
    const [words, fits] = TYPES[rules.type];
    if (!fits(value)) refuse(words);
    if (rules.enum && !rules.enum.includes(value)) {
        refuse(`one of ${rules.enum.map(shown).join(", ")}`);
    }
    if (rules.pattern !== undefined && !new RegExp(rules.pattern, "u").test(value)) {
        refuse(`like ${rules.pattern}`);
    }
    const [measure, ending, unit] =
        rules.type === "string"
            ? [[...value].length, "Length", " characters long"]
            : rules.type === "array"
              ? [value.length, "Items", " entries long"]
              : [value, "imum", ""];
    if (measure < rules[`min${ending}`]) refuse(`at least ${rules[`min${ending}`]}${unit}`);
    if (measure > rules[`max${ending}`]) refuse(`at most ${rules[`max${ending}`]}${unit}`);
    if (rules.type !== "array") return value;
    return value.map((one, at) => checked(`${name}[${at}]`, rules.items, one));
}

function shown(value) {
    const text = JSON.stringify(value);
    return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
