"""Makes a child leave the moment its parent is gone, even when the parent was killed and the guest is running."""

import os
import select
import threading


def die_with_parent(descriptor: int) -> None:
    """Ends this process as soon as nobody holds the other end of the pipe `descriptor` any more.

    A pipe, not PR_SET_PDEATHSIG: that signal comes when the thread that forked ends, and the pool forks in threads
    that come and go.
    """

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, 0)
        poll.poll()
        os._exit(3)

    threading.Thread(target=watch, name="orphan-watch", daemon=True).start()
