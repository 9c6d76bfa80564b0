"""What measured points say about a call: a base, and a slope per component, by least squares."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from statistics import median

Point = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """`base + Σ slopes·components`."""

    base: int
    slopes: tuple[int, ...]

    def at(self, point: Point) -> int:
        """Value at a point."""
        return self.base + sum(slope * value for slope, value in zip(self.slopes, point, strict=True))


def points(components: tuple[tuple[str, int, int], ...], steps: int) -> list[Point]:
    """Where to measure: each component from its least to its most, the others at their most."""
    if not components:
        return [()]
    most = [high for _, _, high in components]
    found: list[Point] = []
    for index, (_, low, high) in enumerate(components):
        count = max(1, min(steps, high - low + 1) - 1)
        for step in range(count + 1):
            point = list(most)
            point[index] = low + (high - low) * step // count
            if tuple(point) not in found:
                found.append(tuple(point))
    return found


def _solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Gaussian elimination; columns without a pivot get 0."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column and rows[row][column]:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [rows[i][size] / rows[i][i] if rows[i][i] else Fraction(0) for i in range(size)]


def fit(measured: dict[Point, list[int]]) -> Line:
    """Least squares over the medians of the points. A slope below nothing is none, and the base then is the largest
    that is left; a call is never cheaper than it was seen to be.
    """
    middle = {point: Fraction(median(values)) for point, values in measured.items()}
    size = len(next(iter(middle)))
    rows = [[Fraction(1), *map(Fraction, point)] for point in middle]
    values = list(middle.values())
    matrix = [[sum((row[i] * row[j] for row in rows), Fraction(0)) for j in range(size + 1)] for i in range(size + 1)]
    right = [
        sum((row[i] * value for row, value in zip(rows, values, strict=True)), Fraction(0)) for i in range(size + 1)
    ]
    solved = _solve(matrix, right)
    slopes = tuple(max(0, ceil(slope)) for slope in solved[1:])
    base = max(0, ceil(solved[0]))
    if any(slope < 0 for slope in solved[1:]):
        rest = (value - sum(s * x for s, x in zip(slopes, point, strict=True)) for point, value in middle.items())
        base = max(0, ceil(max(rest)))
    return Line(base, slopes)
