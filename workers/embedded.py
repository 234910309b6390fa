"""The worker of a house without a broker: as many processes as jobs run at once.

Two jobs in threads of one process wait for each other wherever they run Python, which is most of what they do beside
the networks: measured on two cores with the answers on an ECG alone, 15 a second in two threads, 24 in two processes.
"""

import sys

from ai_models.shared_metrics import Publisher
from telemed.adapters.queue.inline import InlineRunner
from telemed.bootstrap import build, collect_seldom, engine_metrics, preload
from telemed.domain.errors import DomainError
from telemed.group import forks
from telemed.group.stop import stop_on_signals
from telemed.i18n import text
from telemed.settings import Settings, SettingsError


def run(settings: Settings) -> int:
    """Until a signal comes; the exit status."""
    if settings.workers < 2 or settings.inference_provider != "cpu":
        # A GPU is one process's: its memory would hold every model twice, and its batches would come apart.
        return _one(settings, 0, settings.workers)
    _preload()
    return forks.run(settings.workers, lambda number: _one(settings, number, 1))


def _preload() -> None:
    """What the processes share; no session of a model, which would not live through a fork."""
    import ai_models.ecg.recording  # noqa: F401 - its signal library alone is 60 MB

    preload()


def _one(settings: Settings, number: int, threads: int) -> int:
    try:
        return _run_jobs(settings, number, threads)
    except (DomainError, SettingsError) as fault:
        sys.stderr.write(text(fault.code, settings.language, **fault.params) + "\n")
        return 1


def _run_jobs(settings: Settings, number: int, threads: int) -> int:
    stop = stop_on_signals()
    application = build(settings)
    runner = InlineRunner(application.world, threads=threads)
    page = engine_metrics(settings) / f"{number}.prom"
    # One that was killed left its own: whoever reads it must not take it for this one's.
    page.unlink(missing_ok=True)
    if number == 0 and settings.inference_url.startswith("inline:"):
        # A provider, a precision or a digest that is not to be had is an error now, not at the first patient. One of
        # the processes speaks for all: they run the same files, and each model costs each of them its memory.
        application.world.analyser.check()
    # Pages and models are processes of their own here, and a monitor asks the pages.
    counters = Publisher(page, application.runner.metrics_text)
    counters.start()
    runner.start()
    collect_seldom()
    stop.wait()
    runner.stop()
    counters.close()
    application.close()
    return 0
