// What the prompt says of the sheet. A model follows "the jacket, top left of image 2" better than
// a number that it would have to find, so places come first and numbers only where they are drawn.

/** `image {image} is a sheet of 2 pictures: the coat (left) and picture 2 (right)` */
export function words(count, across, { labels, numbers }) {
    if (count === 1) return `image {image} shows ${literal(labels[0]) ?? "the reference"}`;
    const named = Array.from({ length: count }, (_, at) => {
        const place = placeOf(at, count, across);
        const where = numbers ? `${at + 1}, ${place}` : place;
        return `${literal(labels[at]) ?? `picture ${at + 1}`} (${where})`;
    });
    const listed = `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
    return `image {image} is a sheet of ${count} pictures: ${listed}`;
}

/** `left`, `top right`, `row 2, column 4`: plain words for up to three rows and columns. */
export function placeOf(at, count, across) {
    const rows = Math.ceil(count / across);
    const row = Math.floor(at / across);
    const inRow = Math.min(across, count - row * across);
    const column = at % across;
    if (rows > 3 || inRow > 3) return `row ${row + 1}, column ${column + 1}`;
    const down = [[""], ["top", "bottom"], ["top", "middle", "bottom"]][rows - 1][row];
    const side = [[""], ["left", "right"], ["left", "centre", "right"]][inRow - 1][column];
    return [down, side].filter(Boolean).join(" ");
}

/** A label as it is, but without braces, which the prompt gives a meaning. */
function literal(label) {
    return label?.replace(/[{}]/g, "");
}
