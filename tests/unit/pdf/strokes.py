"""Reads the stroked lines of a PDF page back as points in millimetres from the page's lower left corner."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pypdf import PageObject
from pypdf.generic import ContentStream

Matrix = NDArray[np.float64]
MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True)
class Stroke:
    colour: tuple[float, ...]
    width_mm: float
    subpaths: list[NDArray[np.float64]]


def strokes(page: PageObject) -> list[Stroke]:
    found: list[Stroke] = []
    _walk(page.get_contents(), page["/Resources"], np.eye(3), page.pdf, found)
    return found


def _walk(stream: Any, resources: Any, matrix: Matrix, pdf: Any, found: list[Stroke]) -> None:
    stack: list[tuple[Matrix, tuple[float, ...], float]] = []
    colour: tuple[float, ...] = (0.0,)
    width = 1.0
    subpaths: list[list[tuple[float, float]]] = []
    for operands, operator in ContentStream(stream, pdf).operations:
        match operator:
            case b"q":
                stack.append((matrix, colour, width))
            case b"Q":
                matrix, colour, width = stack.pop()
            case b"cm":
                matrix = _matrix(operands) @ matrix
            case b"w":
                width = float(operands[0])
            case b"G" | b"RG" | b"SC" | b"SCN":
                colour = tuple(float(value) for value in operands)
            case b"m":
                subpaths.append([_point(operands)])
            case b"l":
                subpaths[-1].append(_point(operands))
            case b"S" | b"s":
                scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
                lines = [_on_page(points, matrix) for points in subpaths]
                found.append(Stroke(colour, width * scale * MM_PER_POINT, lines))
                subpaths = []
            case b"f" | b"f*" | b"n" | b"B":
                subpaths = []
            case b"Do":
                form = resources["/XObject"][operands[0]].get_object()
                if form["/Subtype"] == "/Form":
                    inner = _matrix(form.get("/Matrix", [1, 0, 0, 1, 0, 0])) @ matrix
                    _walk(form, form.get("/Resources", resources), inner, pdf, found)


def _matrix(values: Any) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in values)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])


def _point(operands: Any) -> tuple[float, float]:
    return float(operands[0]), float(operands[1])


def _on_page(points: list[tuple[float, float]], matrix: Matrix) -> NDArray[np.float64]:
    placed: NDArray[np.float64] = np.column_stack((np.array(points), np.ones(len(points)))) @ matrix
    return placed[:, :2] * MM_PER_POINT
