"""A small stand-in for the server: real templates, real bundle, real wire format, invented cases in memory.

`python -m tests.browser.stub [PORT]` serves it for work on the pages.
"""

import hashlib
import io
import json
import queue
import re
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

from telemed.web.pages.static import DECODER, DECODER_POLICY
from tests.browser import critical_values, own_reading, rendering, samples

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:"


COUNT_LIMIT = 999
VIEWS = ("critical", "overdue", "mine", "returned", "review", "waiting", "all", "done")


def position(row: dict[str, Any]) -> str:
    rank = ("stat", "urgent", "routine").index(row["effective_priority"])
    return f"{rank}.{row['deadline']}.{row['arrived_at']}.{int(row['id'].split('-')[1]):019}"


def views(row: dict[str, Any]) -> list[str]:
    unread = row["state"] in ("waiting", "reading")
    review = row["state"] == "awaiting_review"
    found = {
        "all": unread or review,
        "waiting": unread,
        "mine": unread and row["holder"] is not None and row["holder"]["mine"],
        "returned": unread and row["returned"],
        "review": review,
        "critical": row["critical"] is not None,
        "done": not (unread or review),
    }
    return [view for view, fits in found.items() if fits]


def holds(row: dict[str, Any], view: str) -> bool:
    if view == "overdue":
        return "all" in row["views"] and row["deadline"] < samples.iso(0)
    return view in row["views"]


def draft(words: dict[str, Any], revision: int) -> dict[str, Any]:
    """The version in writing, saved once more with these words."""
    names = ("findings", "impression", "recommendation", "critical", "abnormal")
    unsigned = {"signed_by": None, "signed_at": None, "reviewed_by": None, "reviewed_at": None}
    return samples.report(
        state="draft",
        pdf_url=None,
        revision=revision + 1,
        updated_at=samples.iso(0),
        **unsigned,
        **{name: words[name] for name in names},
    )


class State:
    """What the tests look at and change."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.cases = {one["id"]: samples.case(one) for one in samples.ROWS}
        self.waveform = samples.heart()
        self.priors: dict[str, list[dict[str, Any]]] = {}
        self.own: defaultdict[str, own_reading.OwnReading] = defaultdict(own_reading.OwnReading)
        self.critical: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.listeners: list[queue.Queue[str | None]] = []
        self.event = 100
        self.must_reauthenticate = False
        # Whether a line that comes back is told what it missed, and what that is.
        self.resumed = False
        self.missed: list[dict[str, Any]] = []
        self.fail_next: list[tuple[int, dict[str, Any]]] = []
        self.language = "zh-CN"

    def rows(self, view: str, modality: str = "", site: str = "") -> list[dict[str, Any]]:
        found = (self.row(one) for one in self.cases.values())
        kept = [
            one
            for one in found
            if holds(one, view) and modality in ("", one["modality"]) and site in ("", one["site_id"])
        ]
        return sorted(kept, key=lambda one: one["position"])

    def search(self, text: str) -> list[dict[str, Any]]:
        """By the beginning of a name and by whole numbers; the real rules are the server's."""
        return [
            self.row(one)
            for one in reversed(self.cases.values())
            if one["patient"]["name"].startswith(text)
            or text in (one["patient"]["id_last4"], one["accession_number"], one["patient"]["patient_id"])
        ]

    def row(self, one: dict[str, Any]) -> dict[str, Any]:
        row = {key: one[key] for key in samples.ROWS[0]}
        return row | {"position": position(row), "views": views(row)}

    def whole(self, one: dict[str, Any]) -> dict[str, Any]:
        return one | self.row(one)

    def counts(self) -> dict[str, int]:
        return {view: min(len(self.rows(view)), COUNT_LIMIT + 1) for view in VIEWS if view != "done"}

    def push(
        self, rows: list[dict[str, Any]], gone: list[str] | None = None, counts: dict[str, int] | None = None
    ) -> None:
        self.event += 1
        data = json.dumps({"rows": rows, "gone": gone or [], "counts": self.counts() | (counts or {})})
        for listener in self.listeners:
            listener.put(f"event: cases\nid: {self.event}\ndata: {data}\n\n")

    def cut_lines(self) -> None:
        for listener in list(self.listeners):
            listener.put(None)

    def sent(self, method: str, pattern: str) -> list[Any]:
        return [body for verb, path, body in self.requests if verb == method and re.search(pattern, path)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Stub"

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is its result, not an access log."""

    def reply(self, body: bytes, kind: str, status: int = 200, policy: str = POLICY) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value: object, status: int = 200) -> None:
        self.reply(json.dumps(value).encode(), "application/json", status)

    def problem(self, status: int, code: str, detail: str) -> None:
        body = json.dumps({"status": status, "code": code, "title": "", "detail": detail}).encode()
        self.reply(body, "application/problem+json", status)

    @property
    def state(self) -> State:
        return self.server.state

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.state.requests.append(("GET", self.path, None))
        path = parts.path
        language = query.get("language", self.state.language)
        page = "/reading" if path.startswith("/reading/") else path
        if page in rendering.PAGES:
            self.reply(rendering.page(page, language).encode(), "text/html; charset=utf-8")
        elif path.startswith("/static/"):
            file = rendering.STATIC / path.removeprefix("/static/")
            policy = DECODER_POLICY if path.startswith(f"/static/{DECODER}") else POLICY
            kind = _TYPES.get(file.suffix, "application/octet-stream")
            self.reply(file.read_bytes(), kind, policy=policy)
        elif path == "/api/v1/worklist":
            rows = self.state.rows(query["view"], query.get("modality", ""), query.get("site", ""))
            start, limit = int(query.get("cursor", 0)), int(query["limit"])
            following = start + limit if start + limit < len(rows) else None
            self.json(
                {
                    "rows": rows[start : start + limit],
                    "next_cursor": str(following) if following else None,
                    "counts": self.state.counts(),
                    "count_limit": COUNT_LIMIT,
                    "now": samples.iso(0),
                    "last_event_id": self.state.event,
                }
            )
        elif path == "/api/v1/worklist/stream":
            self.stream()
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)", path):
            self.json(self.state.whole(self.state.cases[match[1]]))
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/median-beats", path):
            self.json(own_reading.beats(self.state.cases[match[1]]))
        elif re.fullmatch(r"/api/v1/cases/([^/]+)/marks", path):
            self.json({"rows": []})
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/priors", path):
            self.json({"rows": self.state.priors.get(match[1], [])})
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/own-reading", path):
            self.json(self.state.own[match[1]].answer())
        elif path == "/api/v1/critical":
            open_ = [one for one in self.state.critical if one["state"] != "closed"]
            self.json({"rows": open_, "now": samples.iso(0)})
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/critical", path):
            rows = [one for one in self.state.critical if one["case_id"] == match[1]]
            rules = critical_values.RULES if self.state.cases[match[1]]["modality"] == "ECG" else []
            self.json({"rules": rules, "rows": rows, "now": samples.iso(0)})
        elif path.endswith("/waveform"):
            self.reply(self.state.waveform, "application/octet-stream")
        elif path.startswith("/rendered/") and not path.endswith("/metadata"):
            self.reply(phantom(), "image/jpeg")
        elif path == "/api/v1/worklist/sites":
            self.json([{"id": "site-qs", "name": "青石镇卫生院"}, {"id": "site-hw", "name": "河湾乡卫生院"}])
        elif path == "/api/v1/report-texts":
            self.json(samples.TEXTS)
        elif path == "/api/v1/hanging":
            self.json([])
        elif path == "/api/v1/notices":
            self.json({"notices": self.state.notices})
        elif path == "/api/v1/exams":
            self.json({"exams": samples.EXAMS})
        else:
            self.problem(404, "error.not_found", "404")

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        mine: queue.Queue[str | None] = queue.Queue()
        self.state.listeners.append(mine)
        try:
            hello = json.dumps({"resumed": self.state.resumed})
            self.wfile.write(f"retry: 200\nevent: hello\ndata: {hello}\n\n".encode())
            if self.state.missed:
                missed = {"rows": self.state.missed, "gone": [], "counts": self.state.counts()}
                self.wfile.write(f"event: cases\nid: 1\ndata: {json.dumps(missed)}\n\n".encode())
            while (text := mine.get()) is not None:
                self.wfile.write(text.encode())
        except OSError:
            pass  # the page went away, as pages do
        finally:
            self.state.listeners.remove(mine)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_PUT(self) -> None:
        self.change("PUT")

    def do_POST(self) -> None:
        self.change("POST")

    def change(self, method: str) -> None:
        raw = self.body()
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        body = json.loads(raw) if is_json else raw
        self.state.requests.append((method, self.path, body))
        if self.state.fail_next:
            status, problem = self.state.fail_next.pop(0)
            self.reply(json.dumps(problem).encode(), "application/problem+json", status)
        elif self.headers.get("X-CSRF-Token") != "token":
            self.problem(403, "error.csrf_token", "csrf")
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/critical", self.path):
            self.state.critical.append(critical_values.value(self.state.cases[match[1]], body["code"]))
            self.json(self.state.critical[-1])
        elif match := re.fullmatch(r"/api/v1/critical/([^/]+)/(\w+)", self.path):
            one = next(one for one in self.state.critical if one["id"] == match[1])
            critical_values.move(one, match[2], body)
            self.json(one)
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/(measurements|verdicts)", self.path):
            own = self.state.own[match[1]]
            (own.measure if match[2] == "measurements" else own.judge)(body)
            self.json(own.answer())
        elif match := re.fullmatch(r"/api/v1/cases/([^/]+)/(\w+)", self.path):
            with self.state.lock:
                self.case(self.state.cases[match[1]], match[2], body)
        elif match := re.fullmatch(r"/api/v1/studies/([^/]+)/repeat/close", self.path):
            one = next(one for one in samples.EXAMS if one["study_instance_uid"] == match[1])
            one.update(state="repeated")
            one["repeat"].update(open=False, closed_at=samples.iso(0), closed_because=body["reason"])
            self.json(one)
        elif self.path == "/api/v1/worklist/search":
            rows = self.state.search(body["text"])
            start = int(body.get("cursor", 0))
            end = start + body["limit"]
            following = str(end) if end < len(rows) else None
            self.json({"rows": rows[start:end], "next_cursor": following, "partial": False})
        elif self.path == "/api/v1/session/reauthenticate":
            self.state.must_reauthenticate = False
            self.json({"signing_until": samples.iso(15)})
        elif self.path == "/api/v1/session/language":
            self.state.language = body["language"]
            self.json({})
        elif self.path == "/api/v1/uploads":
            self.uploads(raw)
        elif self.path.endswith("/acknowledge"):
            self.json({"opened_at": samples.iso(0), "acknowledged_at": samples.iso(0)})
        else:
            self.json({})

    def case(self, case: dict[str, Any], action: str, body: Any) -> None:
        report = case["report"]
        if action == "claim":
            case.update(state="reading", holder={"name": "示例·王医师", "mine": True})
            case["can"].update(write=True, sign=True)
        elif action == "release":
            case.update(state="waiting", holder=None)
            case["can"].update(write=False, sign=False)
        elif action == "draft":
            if body["revision"] != (report or {"revision": 0})["revision"]:
                self.problem(409, "error.report_changed_since_shown", "409")
                return
            case["report"] = draft(body, body["revision"])
            self.json(case["report"])
            return
        elif action == "sign":
            if self.state.must_reauthenticate:
                self.problem(403, "error.reauthenticate", "403")
                return
            if body["revision"] != (report or {"revision": 0})["revision"]:
                self.problem(409, "error.report_changed_since_shown", "409")
                return
            shown = {key: (report or {}).get(key) for key in body["words"]}
            if shown != body["words"]:
                case["report"] = draft(body["words"], body["revision"])
            case["report"].update(state="awaiting_review", hold_until=samples.iso(1))
            case.update(state="awaiting_review", holder=None)
            case["can"].update(claim=False, write=False, sign=False, repeat=False, undo=True)
        elif action == "take":
            case.update(state="reading", holder={"name": "示例·王医师", "mine": True})
            case["can"].update(write=True, sign=True, take=False)
        elif action == "undo":
            case["report"].update(state="draft", hold_until=None)
            case.update(state="reading", holder={"name": "示例·王医师", "mine": True})
            case["can"].update(write=True, sign=True, repeat=True, undo=False)
        elif action == "review":
            case["report"]["state"] = "final" if body["decision"] == "approve" else "draft"
            case["state"] = "final" if body["decision"] == "approve" else "waiting"
            case["can"].update(review=False)
        elif action == "repeat":
            case.update(state="repeat_requested", holder=None)
            case["can"].update(claim=False, write=False, sign=False, repeat=False)
        self.state.push([self.state.row(case)])
        self.json(self.state.whole(case))

    def uploads(self, raw: bytes) -> None:
        boundary = b"--" + self.headers["Content-Type"].split("boundary=")[1].encode()
        objects = []
        for part in raw.split(boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            content = content[:-2]
            name = re.search(rb'filename="([^"]*)"', head)
            objects.append(
                {
                    "file": name[1].decode() if name else "",
                    "status": "refused" if content.startswith(b"text") else "new",
                    "sop_instance_uid": None,
                    "study_instance_uid": None,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "problem": "refused" if content.startswith(b"text") else None,
                }
            )
        refused = sum(one["status"] == "refused" for one in objects)
        self.json({"objects": objects, "accepted": len(objects) - refused, "refused": refused})


def phantom() -> bytes:
    """A step wedge with a frame: plainly no person."""
    pixels = np.zeros((1200, 1000), np.uint8)
    for step in range(10):
        pixels[100 + step * 100 : 200 + step * 100, 150:850] = 20 + step * 24
    pixels[60:1140, 60:64] = pixels[60:1140, 936:940] = 255
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()


class Stub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.state = State()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


if __name__ == "__main__":
    stub = Stub(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
    sys.stdout.write(f"{stub.url}/reading\n")
    stub.serve_forever()
