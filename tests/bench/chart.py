"""A chart with logarithmic axes, as SVG. Pure."""

import math
from collections.abc import Iterator, Mapping
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 840, 520, 80, 20, 240, 60
_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#7f7f7f", "#17becf")


def chart(series: Mapping[str, Mapping[int, float]], across: str, up: str) -> str:
    """Return a document with one line for each series of positive values by positive numbers; the last is dashed."""
    return "\n".join([*_lines(series, across, up), "</svg>", ""])


class _Scale:
    """Where a value lies on an axis that reaches over whole powers of ten."""

    def __init__(self, values: list[float], begin: int, end: int) -> None:
        self.powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.powers[0]) / max(len(self.powers) - 1, 1)
        return round(self._begin + share * (self._end - self._begin), 1)


def _lines(series: Mapping[str, Mapping[int, float]], across: str, up: str) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    x = _Scale([float(count) for points in series.values() for count in points], _LEFT, right)
    y = _Scale([value for points in series.values() for value in points.values()], bottom, _TOP)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12" fill="none">'
    )
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    for power in x.powers:
        at = x(10.0**power)
        yield f'<path d="M{at} {_TOP}V{bottom}" stroke="#ddd"/>'
        yield f'<text x="{at}" y="{bottom + 18}" text-anchor="middle" fill="black">{10.0**power:,.0f}</text>'
    for power in y.powers:
        at = y(10.0**power)
        yield f'<path d="M{_LEFT} {at}H{right}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 4}" text-anchor="end" fill="black">{10.0**power:g}</text>'
    middle = (_LEFT + right) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 16}" text-anchor="middle" fill="black">{escape(across)}</text>'
    turned = f'transform="translate(20 {bottom / 2}) rotate(-90)"'
    yield f'<text {turned} text-anchor="middle" fill="black">{escape(up)}</text>'
    for index, (name, points) in enumerate(series.items()):
        colour, dashes = _COLOURS[index % len(_COLOURS)], ' stroke-dasharray="6 4"' * (index == len(series) - 1)
        path = "L".join(f"{x(count)} {y(value)}" for count, value in points.items())
        yield f'<path d="M{path}" stroke="{colour}" stroke-width="2"{dashes}/>'
        at = _TOP + 20 + 20 * index
        yield f'<path d="M{right + 16} {at - 4}h24" stroke="{colour}" stroke-width="2"{dashes}/>'
        yield f'<text x="{right + 46}" y="{at}" fill="black">{escape(name)}</text>'
