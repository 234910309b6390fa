"""A network on the native OpenVINO runtime in bfloat16, where the processor has the matrix unit for it (AMX)."""

from __future__ import annotations

import importlib.util
import platform
import queue
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.runner import Tensor
from ai_models.session import check_names, usable_cores

PROVIDER = "OpenVINO CPU"
ABSENT = "the extra 'openvino' is not installed"


def shortfall() -> str | None:
    """Why this machine cannot run bf16 so, in a few words; None where it can."""
    if "amx_bf16" not in _cpu_flags():
        return "the processor has no amx_bf16"
    return None if importlib.util.find_spec("openvino") is not None else ABSENT


def _cpu_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


class OpenVinoSession:
    """As many infer requests as cores, one stream each; `run` takes a free one."""

    provider = PROVIDER

    def __init__(self, manifest: Manifest, data: bytes) -> None:
        """Raises ModelRefused("model.not_loaded", "model.provider_not_used", "model.wrong_inputs")."""
        import openvino

        cores = usable_cores()
        config = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "NUM_STREAMS": str(cores),
            "INFERENCE_NUM_THREADS": str(cores),
        }
        try:
            core = openvino.Core()
            compiled = core.compile_model(core.read_model(model=data), "CPU", config)
        except Exception as error:
            raise ModelRefused("model.not_loaded", name=manifest.name, detail=str(error)[:300]) from error
        active = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
        if "bf16" not in active and "bfloat16" not in active:
            raise ModelRefused("model.provider_not_used", provider="bf16", active=active)
        check_names(manifest, [port.get_any_name() for port in compiled.inputs])
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"
        self.device = platform.machine()
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(cores):
            self._requests.put(compiled.create_infer_request())

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        request = self._requests.get()
        try:
            request.infer(dict(inputs), share_inputs=True)
            return [request.get_tensor(name).data.copy() for name in outputs]
        finally:
            self._requests.put(request)
