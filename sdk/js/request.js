// What the host hands to a plugin.

import { SourceFailure } from "./failures.js";
import { Picture } from "./pictures.js";

export class Request {
    constructor(sources, parameters, output) {
        this.sources = sources;
        this.parameters = parameters;
        this.output = output;
    }

    get pictures() {
        return this.sources.filter((source) => source instanceof Picture);
    }

    get documents() {
        return this.sources.filter((source) => typeof source === "string");
    }

    onlyPicture() {
        const [first] = this.sources;
        if (this.sources.length !== 1 || !(first instanceof Picture)) {
            const given = `${this.pictures.length} pictures and ${this.documents.length} documents`;
            throw new SourceFailure(`this plugin takes one picture, and the reference is ${given}`);
        }
        return first;
    }
}
