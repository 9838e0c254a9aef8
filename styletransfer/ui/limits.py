"""What visitors may take of the server: room for files, and places in the queue."""

import random

import gradio as gr
from gradio.queueing import Queue
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from styletransfer.temporary import PageFolder
from styletransfer.ui.words import tell_in

QUOTA = 2_000_000_000  # bytes of all uploads and paintings of the last hour
MAX_REQUEST = 21_000_000  # bytes: an upload of 20 MB
MAX_WAITING = 16  # jobs of one visitor in the queue: a click in Create asks for three


class Quota:
    """Refuses requests that bring too much, and all that would add files while the `folder` is full."""

    def __init__(self, app: ASGIApp, folder: PageFolder):
        self.app, self.folder = app, folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        size = headers.get("content-length", "")
        if not size.isdecimal() or int(size) > MAX_REQUEST:
            status, key = (413, "page_too_many_bytes") if size.isdecimal() else (411, "page_no_length")
        elif self.folder.size + int(size) > QUOTA and not scope["path"].endswith(("/cancel", "/reset")):
            status, key = 507, "page_full"
        else:
            self.folder.size += int(size)  # until the next sweep counts anew
            return await self.app(scope, receive, send)
        sentence = tell_in(headers.get("accept-language", ""), key, most=MAX_REQUEST // 1_000_000)
        plain = scope["path"].endswith("/upload")  # where the page shows the answer as it is
        response = PlainTextResponse(sentence, status) if plain else JSONResponse({"detail": sentence}, status)
        await response(scope, receive, send)


class OneEach(Queue):
    """Gradio's queue, in which a visitor has one job of a kind at work and only so many that wait."""

    async def push(self, body, request, username):
        waiting = [event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue]
        if sum(event.session_hash == body.session_hash for event in waiting) >= MAX_WAITING:
            sentence = tell_in(request.headers.get("accept-language", ""), "page_too_many_jobs", most=MAX_WAITING)
            return False, sentence, "error"  # of "queue_full" the page says its own words
        return await super().push(body, request, username)

    def get_events(self):
        busy = {(event.session_hash, event.concurrency_id) for job in self.active_jobs if job for event in job}
        queues = [*self.event_queue_per_concurrency_id.items()]
        random.shuffle(queues)
        for name, queue in queues:
            if queue.concurrency_limit is None or queue.current_concurrency < queue.concurrency_limit:
                event = next((event for event in queue.queue if (event.session_hash, name) not in busy), None)
                if event is not None:
                    queue.queue.remove(event)
                    return [event], False, name  # no function of the page takes batches
        return None


class FairBlocks(gr.Blocks):
    """A page whose queue is `OneEach`."""

    def queue(self, *arguments, **options):
        super().queue(*arguments, **options)
        queue = self._queue
        self._queue = OneEach(
            queue.live_updates,
            queue.max_thread_count,
            queue.update_intervals,
            queue.max_size,
            self,
            queue.default_concurrency_limit,
        )
        return self
