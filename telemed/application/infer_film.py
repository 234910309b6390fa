"""The models that read films, asked about one object."""

from collections.abc import Sequence

from telemed.application.ports import ModelDescription
from telemed.application.ports.film import FILM_TASK
from telemed.application.world import World
from telemed.domain.analysis import Analysis
from telemed.domain.inference import Urgency
from telemed.imaging.errors import PixelError
from telemed.imaging.film import read_film


def reads_films(model: ModelDescription) -> bool:
    return model.task == FILM_TASK


def ask_film(
    world: World,
    data: bytes,
    models: Sequence[ModelDescription],
    asked: Sequence[ModelDescription],
    urgency: Urgency,
) -> list[tuple[ModelDescription, Analysis]]:
    """The answer of the model of `models` that the film's header belongs to; where it belongs to none, each one's
    reason. Of these only models that are `asked` run and are returned."""
    try:
        film = read_film(data)
    except PixelError as fault:
        params = dict(fault.params)
        return [
            (model, world.analyser.refuse(model.name, fault.code, params, version=model.version))
            for model in asked
        ]
    fitting = [m for m in models if world.analyser.fits(m.name, film, version=m.version)]
    return [
        (model, world.analyser.analyse_film(model.name, film, version=model.version, urgency=urgency))
        for model in fitting or models
        if model in asked
    ]
