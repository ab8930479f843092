// Numbers, places and colours, checked before they reach the host: the bindings would wrap a
// number that does not fit its type, silently.

const LARGEST_UNSIGNED = 2 ** 32 - 1;
const LARGEST_SIGNED = 2 ** 31 - 1;

export function whole(what, value, low = 0, high = LARGEST_UNSIGNED) {
    if (!Number.isInteger(value)) {
        throw new TypeError(`${what} is ${value}, not a whole number: use Math.round or Math.floor`);
    }
    if (value < low || value > high) {
        throw new RangeError(`${what} is ${value}; it must be ${low} to ${high}`);
    }
    return value;
}

/** A whole number that may be negative. */
export function signed(what, value) {
    return whole(what, value, -LARGEST_SIGNED - 1, LARGEST_SIGNED);
}

export function real(what, value) {
    if (typeof value !== "number") throw new TypeError(`${what} is ${value}, not a number`);
    return value;
}

export function size({ width, height }) {
    return { width: whole("width", width), height: whole("height", height) };
}

export function region({ x, y, width, height }) {
    return { x: whole("x", x), y: whole("y", y), ...size({ width, height }) };
}

export function point({ x, y }) {
    return { x: real("x", x), y: real("y", y) };
}

export function colour(given) {
    if (typeof given !== "string") {
        const { r, g, b, a = 255 } = given;
        const part = (value) => whole("a colour's part", value, 0, 255);
        return { r: part(r), g: part(g), b: part(b), a: part(a) };
    }
    if (!/^#([0-9a-f]{6}|[0-9a-f]{8})$/i.test(given)) {
        throw new TypeError(`"${given}" is not a colour like #rrggbb or #rrggbbaa`);
    }
    const part = (at) => parseInt(given.slice(at, at + 2), 16);
    return { r: part(1), g: part(3), b: part(5), a: given.length === 9 ? part(7) : 255 };
}

export function within(inner, box) {
    if (box.width * inner.height <= box.height * inner.width) {
        const height = Math.round((inner.height * box.width) / inner.width);
        return { width: box.width, height: Math.max(1, height) };
    }
    const width = Math.round((inner.width * box.height) / inner.height);
    return { width: Math.max(1, width), height: box.height };
}

/** Text for the host; half a surrogate pair, which UTF-8 cannot say, becomes a question mark. */
export function text(given) {
    return String(given).replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (found) =>
        found.length === 2 ? found : "?",
    );
}
