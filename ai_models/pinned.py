"""Host memory that a GPU reads and writes directly (page-locked), with the CUDA runtime that is loaded anyway."""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ai_models.runner import Tensor

log = logging.getLogger(__name__)

_NAMES = ("libcudart.so.13", "libcudart.so.12", "libcudart.so")

Allocator = Callable[[tuple[int, ...], "np.dtype[Any]"], Tensor]


def plain(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    return np.zeros(shape, dtype)


def pinned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    """Zeros (shape) in page-locked memory; in ordinary memory, and said once, where the CUDA runtime is not found."""
    values = np.zeros(shape, dtype)
    runtime = _runtime()
    if runtime is not None and values.nbytes:
        address = values.ctypes.data
        if runtime.cudaHostRegister(ctypes.c_void_p(address), ctypes.c_size_t(values.nbytes), 0) == 0:
            weakref.finalize(values, runtime.cudaHostUnregister, ctypes.c_void_p(address))
        else:
            log.warning("%s bytes could not be page-locked; copies to the GPU will be slower", values.nbytes)
    return values


@cache
def _runtime() -> Any:
    for name in (*_NAMES, ctypes.util.find_library("cudart")):
        try:
            return ctypes.CDLL(name) if name else None
        except OSError:
            continue
    log.warning("the CUDA runtime library is not found: copies to the GPU are not page-locked")
    return None
