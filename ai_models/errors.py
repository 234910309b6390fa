"""What can go wrong between a model's files and its answer; texts are in the translation catalogue.

DomainError
├── NotFound     └── UnknownModel     no model of that name in the registry
├── InvalidInput └── InvalidTensor    wrong name, shape, dtype, length, or a value that is no number
└── Unavailable  ├── ModelRefused     files that do not fit their manifest, a provider that is not there
                 ├── ModelFailed      a run that failed, or an answer that is no number
                 ├── EngineBusy       the queue is full, or an answer would come too late; try again
                 └── RemoteFailed     the inference server did not answer, or not as the protocol says
"""

from __future__ import annotations

from telemed.domain.errors import InvalidInput, NotFound, Unavailable


class UnknownModel(NotFound):
    """No model of that name (code "model.unknown"; params name, known)."""


class InvalidTensor(InvalidInput):
    """A tensor that the model cannot take (codes "tensor.*")."""


class ModelRefused(Unavailable):
    """A model that must not run as it lies there (codes "model.*")."""


class ModelFailed(Unavailable):
    """One run went wrong (codes "model.run_failed", "model.bad_output")."""


class EngineBusy(Unavailable):
    """Refused at once (codes "model.busy", "model.too_late"); `seconds` after which to ask again."""


class RemoteFailed(Unavailable):
    """The inference server of INFERENCE_URL failed (codes "inference.*")."""
