"""Whether the demo loses a painting, or keeps memory, over hundreds of requests one after the other, at once, and abandoned.

    python -m benchmarks.app_endurance --serial 500 --parallel 30 --abandoned 20

app.py runs in a process of its own. Visitors are those of benchmarks.app_load. In each round some visitors ask for paintings one
after the other, then as many as `--parallel` at the same time, one in ten at full size, and then others ask and close the
connection at once. The first round, with a tenth of the serial requests, fills the caches; memory counts from its end.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

from benchmarks.app_load import FULL, PREVIEW, Visitor, Wait, percentile, serve
from benchmarks.machine import machine
from training.evaluate.report import markdown

RESULTS = Path(__file__).parent / "results" / "app_endurance.json"
EVERY = 10  # one request in ten is for the full size
REST = 3.0  # seconds after the last painting, before memory is read


def resident_mib(process: int) -> float:
    """Memory that a process holds at present, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) / 2**10 for line in status.splitlines() if line.startswith("VmRSS"))


def kind(number: int) -> str:
    return PREVIEW if number % EVERY else FULL


def one_after_the_other(url: str, count: int, people: int) -> list[Wait]:
    visitors = [Visitor(url, number) for number in range(min(people, count))]
    return [visitors[number % len(visitors)].ask(kind(number)) for number in range(count)]


def at_once(url: str, count: int) -> list[Wait]:
    visitors, waits = [Visitor(url, number) for number in range(count)], []
    threads = [
        threading.Thread(target=lambda pair=pair: waits.append(pair[1].ask(kind(pair[0])))) for pair in enumerate(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def abandon(url: str, count: int) -> None:
    """Ask for so many paintings, at full size in turn, and go away."""
    for number in range(count):
        visitor = Visitor(url, number)
        visitor.join(FULL if number % 2 else PREVIEW)
        visitor.http.close()


def round_of(url: str, serial: int, parallel: int, abandoned: int) -> list[tuple[str, list[Wait]]]:
    """What was waited for, by the way it was asked for. Whoever comes after those who went away is served, too."""
    done = [("one after the other", one_after_the_other(url, serial, parallel)), ("at once", at_once(url, parallel))]
    abandon(url, abandoned)
    return [*done, ("after the abandoned", one_after_the_other(url, 1, 1))]


def table(rows: list[dict]) -> str:
    lines = [[row["how"], str(row["count"]), str(row["lost"]), f"{row['p50']:.2f}, {row['p95']:.2f}"] for row in rows]
    return markdown(["requests", "count", "lost", "p50, p95 s"], lines, words=1)


def report(found: dict) -> str:
    """What was measured on, and the table of a file of results."""
    facts = found["machine"]
    before, after = found["before_mib"], found["after_mib"]
    head = f"{facts['cpu']}, {facts['threads']} threads, torch {facts['torch']}; {found['abandoned']} more were abandoned"
    memory = f"The process held {before:.0f} MiB before and {after:.0f} MiB after, a difference of {after - before:+.0f} MiB."
    return f"{head}\n\n{table(found['rows'])}\n\n{memory}"


def main(arguments: list[str] | None = None) -> int:
    head, _, details = __doc__.partition("\n")
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m benchmarks.app_endurance", description=head, epilog=details, formatter_class=style
    )
    parser.add_argument("--package", default="painter", help="as app.py takes it")
    parser.add_argument("--serial", type=int, default=500, help="paintings one after the other")
    parser.add_argument("--parallel", type=int, default=30, help="paintings at once, and visitors who ask one after the other")
    parser.add_argument("--abandoned", type=int, default=20, help="paintings that nobody waits for")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file with the results")
    options = parser.parse_args(arguments)
    if min(options.serial, options.parallel, options.abandoned) < 1:
        parser.error("there must be requests of each kind")
    with serve(options.package) as (url, process):
        round_of(url, max(options.serial // 10, 1), options.parallel, options.abandoned)
        time.sleep(REST)
        before = resident_mib(process)
        done = round_of(url, options.serial, options.parallel, options.abandoned)
        time.sleep(REST)
        after = resident_mib(process)
    rows = []
    for how, waits in done:
        times = [wait.seconds for wait in waits if wait.error is None]
        lost = [wait.error for wait in waits if wait.error is not None]
        rows.append({"how": how, "count": len(waits), "lost": len(lost), "errors": sorted(set(lost))})
        rows[-1] |= {"p50": percentile(times, 50), "p95": percentile(times, 95)} if times else {"p50": 0.0, "p95": 0.0}
    found = {"machine": machine(), "abandoned": options.abandoned, "before_mib": before, "after_mib": after, "rows": rows}
    print(report(found))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    return 1 if any(row["lost"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
