"""What must carry nothing does not reach the networks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ai_models.chest.bottleneck import MATRIX, SIZE, film_input, through_bottleneck
from telemed.imaging.film.resample import area_mean

Y, X = np.mgrid[0:512, 0:512] / 512
SCENE = 0.5 + 0.3 * np.sin(9 * X) * np.cos(7 * Y) + 0.1 * X


def test_gain_window_and_depth_are_gone() -> None:
    picture = area_mean(SCENE, MATRIX)
    plain = film_input(picture)
    assert plain.shape == (1, 1, SIZE, SIZE)
    assert plain.dtype == np.float32
    assert (plain.min() >= 0, plain.max() <= 1) == (True, True)
    for other in (picture * 4095, picture * 0.3 + 0.2, np.rint(picture * 255)):
        assert np.abs(film_input(other) - plain).max() < 0.02


def test_matrix_and_jpeg_leave_little() -> None:
    plain = film_input(area_mean(SCENE, MATRIX))
    for side in (128, 224, 300):
        small = np.rint(area_mean(SCENE, side) * 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).save(buffer, "JPEG", quality=60)
        again = np.asarray(Image.open(buffer))
        assert np.abs(film_input(area_mean(again, MATRIX)) - plain).mean() < 0.02


def test_the_finest_detail_is_gone() -> None:
    checks = np.indices((MATRIX, MATRIX)).sum(axis=0) % 2 * 1.0
    assert np.ptp(film_input(checks)) < 0.02


def test_a_picture_without_contrast_is_black_and_another_size_is_refused() -> None:
    assert not through_bottleneck(np.full((MATRIX, MATRIX), 0.7)).any()
    with pytest.raises(ValueError, match="128"):
        through_bottleneck(np.zeros((64, 64)))
