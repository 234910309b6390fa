"""Batches for a GPU: a few fixed sizes, so that no shape is new to it once the service is ready.

A library that tunes itself for every new shape takes from milliseconds to half a second each time; rows beyond those
asked for cost almost nothing there. So requests that wait together run together, filled up to the next bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

import numpy as np

from ai_models.runner import Tensor

BUCKETS = (1, 2, 4, 8, 16, 32)
LARGEST = BUCKETS[-1]
GPU_RUNNERS = 2
"""One copies while the other computes; more only wait."""


def bucket_of(rows: int) -> int:
    """The smallest bucket that holds `rows`, 1 to 32. Raises ValueError."""
    for bucket in BUCKETS:
        if 0 < rows <= bucket:
            return bucket
    raise ValueError(f"{rows} rows fit no bucket")


def rows_of(inputs: Mapping[str, Tensor]) -> int:
    return len(next(iter(inputs.values())))


def kind_of(inputs: Mapping[str, Tensor]) -> Hashable:
    """Requests of one kind differ in their rows alone, and can share a run."""
    return tuple((name, value.shape[1:], value.dtype.str) for name, value in sorted(inputs.items()))


def joined(requests: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Requests of one kind as one, row after row."""
    if len(requests) == 1:
        return dict(requests[0])
    return {name: np.concatenate([request[name] for request in requests]) for name in requests[0]}


def parted(outputs: Mapping[str, Tensor], rows: Sequence[int]) -> list[dict[str, Tensor]]:
    """The answer of each request, from that of `joined`; views."""
    ends = np.cumsum(rows)
    return [
        {name: value[end - count : end] for name, value in outputs.items()}
        for end, count in zip(ends, rows, strict=True)
    ]


def slices(rows: int) -> Iterator[slice]:
    """A request of more rows than the largest bucket in parts that fit."""
    for start in range(0, rows, LARGEST):
        yield slice(start, min(start + LARGEST, rows))


def filled(target: Tensor, source: Tensor) -> None:
    """Copy `source` (n, ...) into `target` (bucket, ...); the rest repeats its last row, which is a usual one."""
    target[: len(source)] = source
    target[len(source) :] = source[-1]


class JointRun:
    """A request to a session that is best run in batches: done with those of its kind that wait beside it."""

    most = LARGEST

    def __init__(
        self,
        kind: Hashable,
        inputs: Mapping[str, Tensor],
        run: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    ) -> None:
        self.kind, self.inputs, self.rows = kind, inputs, rows_of(inputs)
        self._run = run

    def __call__(self) -> dict[str, Tensor]:
        return self._run(self.inputs)

    def together(self, others: Sequence[JointRun]) -> list[dict[str, Tensor]]:
        requests = [self.inputs, *(other.inputs for other in others)]
        return parted(self._run(joined(requests)), [rows_of(request) for request in requests])
