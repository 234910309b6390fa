"""The time after a restart: leases of the dead have ended, without anybody waiting for it."""

from datetime import UTC, datetime, timedelta


class ShiftedClock:
    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead
