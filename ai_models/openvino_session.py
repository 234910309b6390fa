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
    """As many infer requests as cores, one stream each; `run` takes a free one.

    The network is compiled twice: for the shape of a usual request, and for any. Where a shape may vary the runtime
    lays some weights out anew in every run, which took nearly half of the ECG classification's time.
    """

    provider = PROVIDER

    def __init__(self, manifest: Manifest, data: bytes) -> None:
        """Raises ModelRefused("model.not_loaded", "model.provider_not_used", "model.wrong_inputs")."""
        import openvino

        self._typical = manifest.typical_shapes()
        core = openvino.Core()
        try:
            usual, flexible = core.read_model(model=data), core.read_model(model=data)
            check_names(manifest, [port.get_any_name() for port in flexible.inputs])
            usual.reshape({name: list(shape) for name, shape in self._typical.items()})
            self._usual, self._flexible = _requests(core, usual), _requests(core, flexible)
        except ModelRefused:
            raise
        except Exception as error:
            raise ModelRefused("model.not_loaded", name=manifest.name, detail=str(error)[:300]) from error
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"
        self.device = platform.machine()

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        usual = all(value.shape == self._typical.get(name) for name, value in inputs.items())
        requests = self._usual if usual else self._flexible
        request = requests.get()
        try:
            request.infer(dict(inputs), share_inputs=True)
            return [request.get_tensor(name).data.copy() for name in outputs]
        finally:
            requests.put(request)


def _requests(core: Any, network: Any) -> queue.SimpleQueue[Any]:
    """Compiled for bfloat16, one request a core. Raises ModelRefused("model.provider_not_used")."""
    cores = usable_cores()
    config = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "NUM_STREAMS": str(cores),
        "INFERENCE_NUM_THREADS": str(cores),
    }
    compiled = core.compile_model(network, "CPU", config)
    active = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    if "bf16" not in active and "bfloat16" not in active:
        raise ModelRefused("model.provider_not_used", provider="bf16", active=active)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(cores):
        requests.put(compiled.create_infer_request())
    return requests
