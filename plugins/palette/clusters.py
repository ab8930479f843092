"""Groups colours that look alike: k-means in OKLab, without any randomness.

It starts from the colour that most pixels share and adds, one after the other, the one that is
worst served so far. Groups that an eye would call the same are merged at the end.
"""

from dataclasses import dataclass

from oklab import Lab, apart

CELLS = 32
"""Colours are first sorted into cells of 1/32 of OKLab's lightness, so that thousands of pixels
become hundreds of weighted colours."""

ROUNDS = 12
"""Of k-means; on photographs the centres hardly move after eight."""

SAME = 0.04**2
"""The square of the distance below which two groups become one."""


@dataclass
class Cluster:
    """Colours that look alike."""

    centre: Lab
    """Their mean."""
    share: float
    """Of all pixels, 0 to 1."""


def clusters(colours: list[Lab], count: int) -> list[Cluster]:
    """At most `count` groups of at least one colour, the largest first."""
    cells = _cells(colours)
    centres = _starts(cells, count)
    for _ in range(ROUNDS):
        moved = [centre for centre, _ in _means(cells, centres)]
        if moved == centres:
            break
        centres = moved
    groups = _merged(_means(cells, centres))
    groups.sort(key=lambda group: (-group[1], group[0]))
    return [Cluster(centre, weight / len(colours)) for centre, weight in groups]


def _cells(colours: list[Lab]) -> list[tuple[Lab, int]]:
    """The mean of each cell's colours and how many there are, in a fixed order."""
    sums: dict[tuple[int, ...], list[float]] = {}
    for colour in colours:
        total = sums.setdefault(tuple(int(part * CELLS // 1) for part in colour), [0, 0, 0, 0])
        for channel, part in enumerate(colour):
            total[channel] += part
        total[3] += 1
    ordered = (sums[cell] for cell in sorted(sums))
    return [((lightness / n, a / n, b / n), int(n)) for lightness, a, b, n in ordered]


def _starts(cells: list[tuple[Lab, int]], count: int) -> list[Lab]:
    """The largest cell, then those with the most pixels times the most distance."""
    starts = [max(cells, key=lambda cell: cell[1])[0]]
    distances = [apart(colour, starts[0]) for colour, _ in cells]
    while len(starts) < count:
        scores = [near * cell[1] for near, cell in zip(distances, cells, strict=True)]
        best = max(range(len(cells)), key=scores.__getitem__)
        if scores[best] == 0:
            break
        starts.append(cells[best][0])
        distances = [
            min(near, apart(cell[0], starts[-1]))
            for near, cell in zip(distances, cells, strict=True)
        ]
    return starts


def _means(cells: list[tuple[Lab, int]], centres: list[Lab]) -> list[tuple[Lab, int]]:
    """For each centre that any cell is nearest to: the mean of those, and their weight."""
    sums = [[0.0, 0.0, 0.0, 0] for _ in centres]
    for colour, weight in cells:
        near = [apart(colour, centre) for centre in centres]
        total = sums[near.index(min(near))]
        for channel, part in enumerate(colour):
            total[channel] += part * weight
        total[3] += weight
    return [((lightness / n, a / n, b / n), int(n)) for lightness, a, b, n in sums if n]


def _merged(groups: list[tuple[Lab, int]]) -> list[tuple[Lab, int]]:
    """Joins the nearest two for as long as they are too near to tell apart."""
    groups = list(groups)
    while len(groups) > 1:
        pairs = [(i, j) for j in range(len(groups)) for i in range(j)]
        i, j = min(pairs, key=lambda pair: apart(groups[pair[0]][0], groups[pair[1]][0]))
        (one, n), (other, m) = groups[i], groups[j]
        if apart(one, other) >= SAME:
            break
        mean = tuple((a * n + b * m) / (n + m) for a, b in zip(one, other, strict=True))
        groups[i] = ((mean[0], mean[1], mean[2]), n + m)
        del groups[j]
    return groups
