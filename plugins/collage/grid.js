// Where the pictures lie: rows from left to right, top to bottom, all cells of one size.

/** How many columns show the pictures largest, by the pixels that they cover together. */
export function columns(sizes, sheet, gap) {
    let best = { across: 1, covered: -1 };
    for (let across = 1; across <= sizes.length; across++) {
        const { width, height } = cellSize(sizes.length, across, sheet, gap);
        if (width < 1 || height < 1) continue;
        let covered = 0;
        for (const size of sizes) {
            const scale = Math.min(width / size.width, height / size.height);
            covered += size.width * scale * (size.height * scale);
        }
        // A grid that covers as much with fewer columns is kept: ties depend on no rounding.
        if (covered > best.covered * (1 + 1e-9)) best = { across, covered };
    }
    return best.across;
}

/** The cell of each picture. A last row that is not full lies in the middle. */
export function cells(count, across, sheet, gap) {
    const { width, height } = cellSize(count, across, sheet, gap);
    const rows = Math.ceil(count / across);
    const top = middle(sheet.height, rows, height, gap);
    return Array.from({ length: count }, (_, at) => {
        const row = Math.floor(at / across);
        const inRow = Math.min(across, count - row * across);
        const left = middle(sheet.width, inRow, width, gap);
        return {
            x: left + (at % across) * (width + gap),
            y: top + row * (height + gap),
            width,
            height,
        };
    });
}

function cellSize(count, across, sheet, gap) {
    const rows = Math.ceil(count / across);
    return {
        width: Math.floor((sheet.width - gap * (across + 1)) / across),
        height: Math.floor((sheet.height - gap * (rows + 1)) / rows),
    };
}

/** Where the first of `count` sides begins so that all lie in the middle of `room`. */
function middle(room, count, side, gap) {
    return Math.floor((room - count * side - (count - 1) * gap) / 2);
}
