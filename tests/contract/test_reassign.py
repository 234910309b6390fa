"""Two people correct one study at once: one of them wins, and the other is told, on every engine."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from telemed.application.reassign import Wish, reassign
from telemed.application.world import World
from telemed.domain.errors import Conflict
from tests.contract.cast import Cast, a_patient, a_study

ROUNDS = 4


def test_of_two_who_correct_a_study_at_once_one_wins(world: World, cast: Cast) -> None:
    actor = cast.actor(cast.technician)
    for number in range(ROUNDS):
        uid = f"2.25.7{number}"
        with world.unit_of_work() as uow:
            wrong = uow.patients.ensure(a_patient(cast.township, f"WRONG-{number}"))
            for letter in "AB":
                uow.patients.ensure(a_patient(cast.township, f"RIGHT-{letter}-{number}"))
            uow.studies.ensure(a_study(cast, wrong, study_instance_uid=uid))
            uow.commit()
        together = Barrier(2)

        def correct(letter: str, number: int = number, uid: str = uid, together: Barrier = together) -> str:
            wish = Wish(
                from_patient_id=f"WRONG-{number}", patient_id=f"RIGHT-{letter}-{number}", reason="虚构"
            )
            together.wait()
            try:
                reassign(world, actor=actor, study_instance_uid=uid, wish=wish)
            except Conflict as conflict:
                return conflict.code
            return letter

        with ThreadPoolExecutor(2) as both:
            outcomes = list(both.map(correct, "AB"))
        winners = [one for one in outcomes if one in ("A", "B")]
        assert len(winners) == 1, outcomes
        refused = next(one for one in outcomes if one not in ("A", "B"))
        assert refused in ("error.patient_changed_since_shown", "error.changed_meanwhile")
        with world.unit_of_work(write=False) as uow:
            study = uow.studies.by_instance_uid(cast.township.id, uid)
            assert study is not None
            assert uow.patients.get(study.patient_id).patient_id == f"RIGHT-{winners[0]}-{number}"
            kinds = Counter(event.kind.value for event in uow.events.of_study(study.id))
            assert kinds["study.reassigned"] == 1
            assert len(uow.corrections.of_study(study.id)) == 1
