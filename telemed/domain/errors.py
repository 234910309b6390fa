"""What can go wrong, as one tree. An error carries a catalogue key and facts, never a sentence.

DomainError
├── InvalidInput        the request says something impossible       HTTP 422
├── Unauthenticated     nobody is signed in, or wrongly             HTTP 401
├── Forbidden           this person may not do this                 HTTP 403
├── NotFound            not there, or not for this person           HTTP 404
├── Conflict            someone else was first; reload and decide   HTTP 409
├── Unreadable          the bytes cannot be understood              HTTP 422, DIMSE 0xC000
├── OutOfResources      no room; nothing was taken; send again      HTTP 507, DIMSE 0xA700
└── Unavailable         a part does not answer; try again           HTTP 503

Its HTTP and DIMSE faces are chosen at the edges; the sentences live in the translation catalogue.
"""


class DomainError(Exception):
    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code}({facts})" if facts else self.code


class InvalidInput(DomainError):
    def __init__(self, code: str, *, field: str | None = None, **params: str | int) -> None:
        super().__init__(code, **params)
        self.field = field


class Unauthenticated(DomainError): ...


class Forbidden(DomainError): ...


class NotFound(DomainError): ...


class Conflict(DomainError): ...


class Unreadable(DomainError): ...


class OutOfResources(DomainError): ...


class Unavailable(DomainError): ...
