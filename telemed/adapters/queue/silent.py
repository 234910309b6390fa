"""Where the runner looks by itself, nobody needs to be woken."""


class SilentWaker:
    def wake(self) -> None:
        """The inline runner asks the table many times a second; a wake-up would gain nothing."""
