"""What every store promises about extrinsics, documents and blobs, in memory and on PostgreSQL."""

import hashlib
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from ainur_node.errors import Bug, Transient
from ainur_node.ports import BlobRow, OutboxRow
from ainur_node.storage.memory import MemoryStore
from ainur_node.storage.postgres import PostgresStore, open_store

Store = MemoryStore | PostgresStore
TASK = b"\x01" * 32


def extrinsic(number: int, account: bytes = b"alice", nonce: int | None = None) -> OutboxRow:
    nonce = number if nonce is None else nonce
    hashed = hashlib.sha256(b"%d" % number).digest()
    return OutboxRow(b"ref%d" % number, account, nonce, hashed, b"raw%d" % number, 1024, "escrow.accept", "{}")


async def test_a_signed_extrinsic_is_unresolved_until_its_outcome_is_known(store: Store) -> None:
    for number in (3, 1, 2):
        await store.sign(extrinsic(number))
    await store.sign(extrinsic(9, account=b"bob"))

    assert [row.nonce for row in await store.unresolved(b"alice")] == [1, 2, 3]
    assert await store.resolve(extrinsic(2).hash, "included") is True

    assert [row.nonce for row in await store.unresolved(b"alice")] == [1, 3]
    newest = await store.outbox(10)
    assert [(row.nonce, row.outcome) for row in newest] == [(9, None), (2, "included"), (1, None), (3, None)]
    assert newest[1].raw == b"raw2"
    assert newest[1].at > 1_700_000_000_000
    assert len(await store.outbox(1)) == 1


async def test_the_first_outcome_stays(store: Store) -> None:
    await store.sign(extrinsic(1))

    assert await store.resolve(extrinsic(1).hash, "included") is True
    assert await store.resolve(extrinsic(1).hash, "expired") is False

    assert [row.outcome for row in await store.outbox(5)] == ["included"]
    with pytest.raises(Bug):
        await store.resolve(b"unknown", "included")


async def test_signing_the_same_bytes_twice_changes_nothing(store: Store) -> None:
    await store.sign(extrinsic(1))
    await store.resolve(extrinsic(1).hash, "included")
    await store.sign(extrinsic(1))

    assert [row.outcome for row in await store.outbox(5)] == ["included"]
    forged = OutboxRow(b"r", b"alice", 1, extrinsic(1).hash, b"other bytes", 1, "c", "{}")
    with pytest.raises(Bug):
        await store.sign(forged)


async def test_two_extrinsics_may_share_a_nonce_after_an_era_without_the_first(store: Store) -> None:
    await store.sign(extrinsic(1, nonce=5))
    await store.sign(extrinsic(2, nonce=5))

    assert [row.ref for row in await store.unresolved(b"alice")] == [b"ref1", b"ref2"]


async def test_everything_that_was_signed_under_a_ref_is_found_oldest_first(store: Store) -> None:
    for number in (1, 2, 3):
        await store.sign(replace(extrinsic(number), ref=b"rent" if number != 2 else b"other"))
    await store.resolve(extrinsic(1).hash, "expired at block 9")

    assert [(row.nonce, row.outcome) for row in await store.attempts(b"rent")] == [(1, "expired at block 9"), (3, None)]
    assert await store.attempts(b"nothing") == []
    with pytest.raises(Bug):
        await store.attempts(b"")


async def test_documents_are_replaced_and_listed_newest_first(store: Store) -> None:
    for key in (b"a", b"b", b"c"):
        await store.put_doc("offer", key, f'"{key.decode()}"')
    await store.put_doc("peer", b"a", "1")
    await store.put_doc("offer", b"a", '"A"')

    assert await store.get_doc("offer", b"a") == '"A"'
    assert await store.get_doc("offer", b"z") is None
    assert await store.docs("offer", 10) == [(b"a", '"A"'), (b"c", '"c"'), (b"b", '"b"')]
    assert await store.docs("offer", 1) == [(b"a", '"A"')]


async def test_a_deleted_document_is_gone(store: Store) -> None:
    await store.put_doc("offer", b"a", "1")

    await store.delete_doc("offer", b"a")
    await store.delete_doc("offer", b"a")

    assert await store.get_doc("offer", b"a") is None


async def test_only_the_newest_documents_are_kept(store: Store) -> None:
    for number in range(10):
        await store.put_doc("peer", b"%d" % number, str(number))

    assert await store.trim_docs("peer", 3) == 7
    assert await store.trim_docs("peer", 3) == 0

    assert [doc for _, doc in await store.docs("peer", 99)] == ["9", "8", "7"]
    assert await store.trim_docs("peer", 0) == 3


async def test_a_blob_is_kept_as_long_as_something_refers_to_it(store: Store) -> None:
    sha = hashlib.sha256(b"x").digest()
    await store.blob_put(sha, 1, "input", [b"task1"])
    await store.blob_put(sha, 1, "input", [b"task2", b"task1"])
    await store.blob_put(bytes(32), 10, "log")

    assert await store.blob_get(sha) == BlobRow(sha, 1, "input", (b"task1", b"task2"))
    assert await store.blob_totals() == (2, 11)
    assert [row.sha256 for row in await store.blobs_unpinned(9)] == [bytes(32)]
    assert await store.blob_unpin(b"task1") == 1
    assert await store.blob_unpin(b"task2") == 1
    assert [row.sha256 for row in await store.blobs_unpinned(9)] == [sha, bytes(32)]
    assert await store.blob_delete(sha) is True
    assert await store.blob_delete(sha) is False
    assert await store.blob_get(sha) is None


async def test_two_nodes_never_share_a_store(store: Store, store_dsn: str | None) -> None:
    async with AsyncExitStack() as stack:
        second: Store = store
        if store_dsn is not None:
            second = await stack.enter_async_context(open_store(store_dsn))
        async with store.lock():
            with pytest.raises(Transient) as refused:
                async with second.lock():
                    pytest.fail("both have it")
        async with second.lock():
            pass

    assert "stop it" in refused.value.hint


async def test_statistics_are_counts(store: Store) -> None:
    await store.put_doc("offer", TASK, "{}")

    assert all(isinstance(value, int) and value >= 0 for value in store.statistics().values())
