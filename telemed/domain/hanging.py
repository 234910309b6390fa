"""How a reading centre hangs its pictures: what a reader finds on the screen when an exam is opened."""

from dataclasses import dataclass, field

from telemed.domain.errors import InvalidInput

# The windows of a picture by number, as the station's keys have them; the first is the object's own.
WINDOWS = range(1, 7)


@dataclass(eq=False, kw_only=True)
class HangingRule:
    """One exam of one centre. An empty modality or body part stands for every one."""

    uid: str
    consortium_id: int
    institution_id: int
    modality: str = ""
    # Found in the body part or in the name of the exam.
    body_part: str = ""
    # The last exam of its kind stands beside from the start, where there is one.
    prior: bool
    window: int
    id: int = field(init=False)

    def demand_sound(self) -> None:
        if self.window not in WINDOWS:
            least, most = WINDOWS[0], WINDOWS[-1]
            raise InvalidInput("error.number_out_of_range", field="window", least=least, most=most)
        if self.modality != "CT" and self.window > 3:
            # Only for CT is there a scale on which a window has a name.
            raise InvalidInput("error.number_out_of_range", field="window", least=1, most=3)


def narrowest_first(rules: list[HangingRule]) -> list[HangingRule]:
    """The first that fits is the one: what names a body part before what names a modality, that before the rest."""
    return sorted(rules, key=lambda one: (not one.body_part, not one.modality, -len(one.body_part), one.id))
