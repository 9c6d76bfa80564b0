"""Commits that an auctioneer signed for: on disk before the receipt leaves, so that a restart drops none of them.

A commit that is missing from the closed bid set convicts whoever signed for it (docs/protocol.md §6.2.1).
"""

from collections.abc import Mapping

import msgspec
import trio

from ainur_node.domain.auction.commitments import Commit
from ainur_node.domain.ids import AccountId, AuctionId
from ainur_node.ports import TaskStore

TAKEN = "taken_commits"
MAX_AUCTIONS = 256
"""Auctions whose commits are kept; only those that still collect are ever read."""


class Taken:
    """The commits of one auction; those that arrive while one write is under way share the next one."""

    def __init__(self, store: TaskStore, auction: AuctionId) -> None:
        self._store = store
        self._auction = auction
        self._writing = trio.Lock()
        self._kept: set[AccountId] = set()
        self.commits: dict[AccountId, Commit] = {}

    async def load(self) -> None:
        """Take back what an earlier run of the same collection signed for."""
        doc = await self._store.get_doc(TAKEN, self._auction)
        if doc is not None:
            self.commits = {c.provider: c for c in msgspec.json.decode(doc, type=list[Commit])} | self.commits
            self._kept |= self.commits.keys()
        else:
            await self._prune()

    async def keep(self, commit: Commit) -> None:
        """Take a commit in. Raises Transient when it cannot be stored: then it must not be signed for."""
        self.commits.setdefault(commit.provider, commit)
        async with self._writing:
            if commit.provider not in self._kept:
                await self._write(dict(self.commits))

    async def _write(self, commits: Mapping[AccountId, Commit]) -> None:
        await self._store.put_doc(TAKEN, self._auction, msgspec.json.encode(list(commits.values())).decode())
        self._kept |= commits.keys()

    async def _prune(self) -> None:
        for key, _ in (await self._store.docs(TAKEN, 2 * MAX_AUCTIONS))[MAX_AUCTIONS:]:
            await self._store.delete_doc(TAKEN, key)
