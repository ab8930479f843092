// Why nothing came out: what a plugin throws, and what the host refuses.

export class Failure extends Error {
    get name() {
        return this.constructor.name;
    }
}

export class ParameterFailure extends Failure {
    constructor(parameter, reason) {
        super(parameter === "" ? reason : `${parameter}: ${reason}`);
        this.parameter = parameter;
        this.reason = reason;
    }
}

export class SourceFailure extends Failure {}

export class Refused extends Failure {
    constructor(message, kind) {
        super(message);
        this.kind = kind;
    }
}

/** Calls the host. What it refuses is a Refused; anything else that is thrown stays as it is. */
export function ask(call) {
    try {
        return call();
    } catch (error) {
        if (typeof error?.payload === "string") throw new Refused(error.payload);
        if (typeof error?.payload?.tag === "string") {
            throw new Refused(error.payload.val, error.payload.tag);
        }
        throw error;
    }
}
