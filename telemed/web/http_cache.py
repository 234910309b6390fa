"""What a browser may keep: bytes named by their digest never change, but belong to one person's eyes."""

from fastapi import Request


def kept(digest: str, variant: str = "") -> dict[str, str]:
    """Headers of an answer made from the bytes of this digest; asked for again each time, since rights end."""
    return {"ETag": f'"{digest}{variant}"', "Cache-Control": "private, no-cache"}


def unchanged(request: Request, headers: dict[str, str]) -> bool:
    sent = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return headers["ETag"] in sent
