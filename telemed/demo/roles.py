"""The people of the demo, working through the same HTTP API as everyone."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2

from telemed.demo.consortium import PASSWORD
from telemed.domain.errors import Unavailable

T = TypeVar("T")


class Person:
    def __init__(self, base: str, username: str) -> None:
        self.username = username
        self._client = httpx2.Client(base_url=base, timeout=30, headers={"Accept-Language": "zh-CN"})
        grant = {"grant_type": "password", "username": username, "password": PASSWORD}
        token = self._answer(self._client.post("/auth/token", data=grant)).json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> Any:
        return self._answer(self._client.get(path, params=query)).json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._answer(self._client.post(path, json=body or {})).json()

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self._client.put(path, json=body)).json()

    def bytes(self, path: str) -> bytes:
        return self._answer(self._client.get(path)).content

    def _answer(self, response: httpx2.Response) -> httpx2.Response:
        if response.is_error:
            raise Unavailable(
                "error.demo_step", who=self.username, status=response.status_code, said=response.text[:300]
            )
        return response

    def close(self) -> None:
        self._client.close()


def wait_for(what: str, look: Callable[[], T | None], seconds: float) -> T:
    """Looks until there is something. Raises Unavailable, naming what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise Unavailable("error.demo_waited", what=what, seconds=int(seconds))
        time.sleep(0.05)
