"""Every route says who may use it; an application with a route that does not say so is refused at its start.

    @router.get("/worklist", **guard(Action.SEE_WORKLIST))
    @router.get("/healthz", **public("a balancer asks whether the process lives"))

The rule says what a role may do at all. Whose rows it then sees is decided inside the use case's query.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.types import Scope

from telemed.domain.access import Action, Actor, demand
from telemed.web.security import CurrentActor

RULE = "x-permission"
_PUBLIC = "public"


def guard(action: Action) -> dict[str, Any]:
    # Nothing here waits, so it needs no thread of its own.
    async def permitted(actor: CurrentActor) -> Actor:
        demand(actor, action)
        return actor

    return {
        "dependencies": [Depends(permitted)],
        "openapi_extra": {RULE: action.value, "security": [{"cookie": []}, {"bearer": []}]},
    }


def public(reason: str) -> dict[str, Any]:
    """For everyone, without a session; the reason stands where the route does."""
    if not reason:
        raise ValueError("a route for everyone needs its reason")
    return {"openapi_extra": {RULE: f"{_PUBLIC}: {reason}", "security": []}}


def routes(app: FastAPI) -> Iterator[RouteContext]:
    yield from iter_route_contexts(app.routes)


def rule_of(route: RouteContext) -> str | None:
    """The declared rule, "public: ..." for those without one, None where nothing was declared."""
    extra = getattr(route.original_route, "openapi_extra", None) or {}
    rule = extra.get(RULE)
    return str(rule) if rule else None


def action_of(route: RouteContext) -> Action | None:
    rule = rule_of(route)
    return None if rule is None or rule.startswith(_PUBLIC) else Action(rule)


def name_of(scope: Scope) -> str:
    """The pattern of the route that answers, never its path: a path carries identifiers, and has no end of values."""
    names: dict[Any, str] = scope["app"].state.route_names if "app" in scope else {}
    return names.get(scope.get("endpoint"), "none")


def demand_rules(app: FastAPI) -> None:
    """Refuses an application with an undeclared route; remembers the routes' patterns for `name_of`."""
    bare = [
        str(r.path) for r in routes(app) if not isinstance(r.original_route, APIRoute) or rule_of(r) is None
    ]
    if bare:
        raise RuntimeError(f"routes without a rule of who may use them: {', '.join(sorted(bare))}")
    app.state.route_names = {route.endpoint: str(route.path) for route in routes(app)}
