"""Paintings a second, and how long people wait for them, with 1, 5 and 20 visitors on the page of the demo at once.

    python -m benchmarks.app_load --visitors 1 5 20 --seconds 30

app.py runs in a process of its own. Every visitor opens the page, uploads a photo of two megapixels, moves the strength slider,
rests for a second, moves it again, and so on; every tenth time he downloads the painting at full size instead. The requests are
those of the page in a browser, and a wait ends when the picture has arrived. The visitors use some of the same cores as the app.
"""

import argparse
import contextlib
import io
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from PIL import Image

from benchmarks.machine import machine
from training.evaluate.report import markdown

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "app_load.json"
PREVIEW, FULL = "preview", "full size"
SIZE = (1600, 1200)  # of a photo
PAUSE = 1.0  # seconds for which a hand rests
PATIENCE = 120  # seconds of silence after which a visitor is lost; Gradio gives a sign of life every 15


@dataclass
class Wait:
    """A painting that somebody asked for.

    Args:
        kind: PREVIEW or FULL.
        seconds: From asking until the picture was there.
        places: What he was told meanwhile: 1 is next in the queue.
        error: What he got instead of a picture.
    """

    kind: str
    seconds: float = 0.0
    places: list[int] = field(default_factory=list)
    error: str | None = None


class Visitor:
    """A browser with the page at `url` open. Visitors of different numbers have different photos and do different things."""

    def __init__(self, url: str, number: int):
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        self.random = random.Random(number)
        self.session = uuid.uuid4().hex
        self.http.get("").raise_for_status()
        config = self.http.get("config").raise_for_status().json()
        self.components = {component["id"]: component for component in config["components"]}
        self.events = config["dependencies"]
        (path,) = self.http.post("gradio_api/upload", files={"files": ("photo.jpg", photo(number))}).raise_for_status().json()
        self.photo = {"path": path, "meta": {"_type": "gradio.FileData"}}

    def act(self, seconds: float, waits: list[Wait]) -> None:
        """Do what people do for so many seconds, and add what was waited for to `waits`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            waits.append(self.ask(FULL if self.random.random() < 0.1 else PREVIEW))
            time.sleep(PAUSE * self.random.uniform(0.5, 1.5))

    def ask(self, kind: str) -> Wait:
        wait, start = Wait(kind), time.monotonic()
        try:
            self.http.get(self.answer(kind, wait)["url"]).raise_for_status()
        except (httpx.HTTPError, RuntimeError) as error:
            wait.error = str(error) or type(error).__name__
        wait.seconds = time.monotonic() - start
        return wait

    def answer(self, kind: str, wait: Wait) -> dict:
        """The file that the app painted."""
        self.join(kind)
        with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                match message.get("msg"):
                    case "estimation" if message["rank"] is not None:
                        wait.places.append(message["rank"] + 1)
                    case "process_completed" if message["success"]:
                        painted = message["output"]["data"][0]
                        return painted[1] if kind == PREVIEW else painted  # a preview has the photo beside it
                    case "process_completed" | "unexpected_error" | "close_stream":
                        raise RuntimeError(str(message))
        raise RuntimeError("the answer broke off")

    def join(self, kind: str) -> None:
        """Ask for a painting, and do not wait for it."""
        event = next(event for event in self.events if self.does(event, kind))
        values = [self.value(self.components[component]) for component in event["inputs"]]
        body = {"data": values, "fn_index": event["id"], "session_hash": self.session, "trigger_id": event["targets"][0][0]}
        joined = self.http.post("gradio_api/queue/join", json=body)
        if joined.is_error:
            raise RuntimeError(joined.text)  # the queue is full

    def does(self, event: dict, kind: str) -> bool:
        if kind == FULL:
            return event["api_name"] == "stylise"
        return any(self.name(target) == "strength" and happens == "input" for target, happens in event["targets"])

    def name(self, component: int | None) -> str | None:
        return self.components[component]["props"].get("elem_id") if component in self.components else None

    def value(self, component: dict):
        """What a component sends: the photo, a new strength, what a widget shows at first, nothing for a state."""
        match component["props"].get("elem_id"):
            case "photo":
                return self.photo
            case "strength":
                return round(self.random.uniform(0.3, 1.5) / 0.05) * 0.05
        return component["props"].get("value") if component["type"] != "state" else None


def photo(number: int) -> bytes:
    """A JPEG that is another one for each number."""
    data = io.BytesIO()
    Image.effect_mandelbrot(SIZE, (-2, -1.5, 1, 1.5), 20 + number).convert("RGB").save(data, "jpeg", quality=90)
    return data.getvalue()


@contextlib.contextmanager
def serve(package: str | None) -> Iterator[tuple[str, int]]:
    """The address of the demo, which runs until the end of the block, and the id of its process."""
    command = [
        sys.executable,
        str(ROOT / "app.py"),
        "--host",
        "127.0.0.1",
        "--offline",
        *(["--package", package] if package else []),
    ]
    with tempfile.TemporaryDirectory() as uploads:
        environment = os.environ | {"GRADIO_TEMP_DIR": uploads}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                found = re.search(r"http\S+", process.stdout.readline())
                if found is None:
                    raise RuntimeError("the demo did not start")
                yield found[0], process.pid
            finally:
                process.terminate()


def load(url: str, visitors: int, seconds: float) -> list[Wait]:
    """What so many visitors at once waited for."""
    waits: list[Wait] = []
    people = [Visitor(url, number) for number in range(visitors)]
    threads = [threading.Thread(target=person.act, args=(seconds, waits)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def summary(visitors: int, seconds: float, waits: list[Wait]) -> dict:
    """The row of one crowd."""
    row = {"visitors": visitors, "per_second": sum(wait.error is None for wait in waits) / seconds}
    for kind in (PREVIEW, FULL):
        times = sorted(wait.seconds for wait in waits if wait.kind == kind and wait.error is None)
        row[kind] = {"count": len(times), "p50": percentile(times, 50), "p95": percentile(times, 95)}
    row["last_place"] = max((place for wait in waits for place in wait.places), default=0)
    row["told_no_place"] = sum(not wait.places for wait in waits)
    row["errors"] = sorted({wait.error for wait in waits if wait.error})
    row["lost"] = sum(wait.error is not None for wait in waits)
    return row


def percentile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(rows: list[dict]) -> str:
    heads = ["visitors", "paintings / s", "preview p50, p95 s", "full size p50, p95 s", "last place", "errors"]
    lines = []
    for row in rows:
        waits = [
            f"{row[kind]['p50']:.2f}, {row[kind]['p95']:.2f} ({row[kind]['count']})" if row[kind]["count"] else "none"
            for kind in (PREVIEW, FULL)
        ]
        lines.append([str(row["visitors"]), f"{row['per_second']:.1f}", *waits, str(row["last_place"]), str(row["lost"])])
    return markdown(heads, lines, words=0)


def report(found: dict) -> str:
    """What was measured on, and the table of a file of results."""
    facts = found["machine"]
    head = f"{facts['cpu']}, {facts['cores']} cores, torch {facts['torch']}, {found['seconds']:g} s a crowd"
    return f"{head}\n\n{table(found['rows'])}"


def main(arguments: list[str] | None = None) -> int:
    head, _, details = __doc__.partition("\n")
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.app_load", description=head, epilog=details, formatter_class=style
    )
    parser.add_argument("--package", help="as app.py takes it")
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 5, 20], help="people at once, one crowd after the other")
    parser.add_argument("--seconds", type=float, default=30, help="for which each crowd stays")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file with the results")
    options = parser.parse_args(arguments)
    if min(options.visitors) < 1 or options.seconds <= 0:
        parser.error("there must be visitors, and time for them")
    rows = []
    with serve(options.package) as (url, _):
        load(url, 1, 3)  # whoever comes first waits for torch
        for visitors in options.visitors:
            start = time.monotonic()
            waits = load(url, visitors, options.seconds)
            rows.append(summary(visitors, time.monotonic() - start, waits))
    facts = machine() | {"cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()}
    found = {"machine": facts, "seconds": options.seconds, "rows": rows}
    print(report(found))
    for error in sorted({error for row in rows for error in row["errors"]}):
        print(f"error: {error}", file=sys.stderr)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    return 1 if any(row["lost"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
