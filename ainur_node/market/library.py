"""Packages, modules and transcripts at this node: fetched by hash, checked, kept, and served to whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import structlog
import trio

from ainur_node.domain.auction.commitments import MAX_COMMITS
from ainur_node.domain.auction.transcript import Transcript, check_widths, transcript_hash
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.ids import ModuleId, PackageId, PeerId
from ainur_node.domain.manifest import MAX_MANIFEST, Manifest, read_manifest
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import messages
from ainur_node.market.messages import TranscriptRequest
from ainur_node.market.schema import fault
from ainur_node.ports import Blobs, Finding, Job, Mesh, RemoteRefusal, Run, Sandbox, TaskStore

log = structlog.get_logger(__name__)

PUBLIC = "public_blob"
PACKAGE = "package"
TRANSCRIPT = "transcript"
INPUT_SALT = "input_salt"
MAX_TRANSCRIPT = 1 << 20
FETCH_TIMEOUT = 20.0
# Public blobs are known by heart; a node with more packages and transcripts than this asks its store.
MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Package:
    """A manifest with its module, both stored here."""

    manifest: Manifest
    raw: bytes


class Library:
    """What may be handed to strangers, and what was fetched from them. Also the mesh's source of blobs."""

    def __init__(self, genesis: bytes, store: TaskStore, blobs: Blobs, mesh: Mesh, sandbox: Sandbox) -> None:
        self._genesis = genesis
        self._store = store
        self._blobs = blobs
        self._mesh = mesh
        self._sandbox = sandbox
        self._public: set[bytes] = set()
        self._packages: dict[PackageId, Package] = {}
        self._prepared: set[ModuleId] = set()
        self._fetching: dict[bytes, trio.Lock] = {}

    async def load(self) -> None:
        """Remember what earlier runs stored."""
        self._public.update(key for key, _ in await self._store.docs(PUBLIC, MAX_REMEMBERED))
        for package, _ in await self._store.docs(PACKAGE, MAX_REMEMBERED):
            raw = await self._blobs.get(package)
            manifest = read_manifest(raw) if raw is not None else None
            if raw is not None and isinstance(manifest, Manifest):
                self._packages[manifest.package] = Package(manifest, raw)

    def serve(self) -> None:
        """Answer ``auction.transcript``."""
        self._mesh.serve(
            "auction.transcript", self._serve_transcript, max_body=64, per_peer_per_second=20, concurrent=16
        )

    async def open(self, sha256: bytes, peer: PeerId) -> bytes | None:
        """Blob source of the mesh: public bytes for anyone, nothing else for anyone."""
        del peer
        return await self._blobs.get(sha256) if sha256 in self._public else None

    # --- packages -------------------------------------------------------------------------------------------------

    def packages(self) -> list[Package]:
        """Packages whose manifest is here."""
        return list(self._packages.values())

    def package(self, package: PackageId) -> Package | None:
        """A package whose manifest is here."""
        return self._packages.get(package)

    def package_of(self, module: ModuleId, output_schema: bytes | None = None) -> Package | None:
        """A package here that holds a module, and promises that output when a schema's hash is named.

        Anybody may put the module of another package into one of their own, with other schemas.
        """
        fitting = (p for p in self._packages.values() if p.manifest.module == module)
        return next((p for p in fitting if output_schema in (None, p.manifest.output_schema_hash)), None)

    async def add(self, raw: bytes, wasm: bytes) -> Package | Rejection:
        """Check and keep a package: manifest, module hash, inspection by the sandbox."""
        manifest = read_manifest(raw)
        if isinstance(manifest, Rejection):
            return manifest
        for name, schema in (("input", manifest.input_schema), ("output", manifest.output_schema)):
            if (why := await fault(schema)) is not None:
                return Rejection("bad_manifest", f"the {name} schema cannot be used: {why}")
        sha256 = await trio.to_thread.run_sync(content_hash, wasm)
        if sha256 != manifest.module or len(wasm) != manifest.module_size:
            return Rejection(
                "module_mismatch", "the module is not the one that manifest.json names: rebuild the package"
            )
        findings = await self._prepare(manifest.module, wasm)
        if findings:
            listed = "; ".join(f"{f.code}: {f.detail}" for f in findings[:5])
            return Rejection("module_refused", f"the module may not run here: {listed}")
        await self._publish(raw)
        await self._publish(wasm)
        await self._store.put_doc(PACKAGE, manifest.package, "{}")
        package = self._packages[manifest.package] = Package(manifest, raw)
        return package

    async def fetch(self, package: PackageId, peers: Sequence[PeerId] = ()) -> Package | Rejection:
        """The package from here or from peers that announced it; Transient when nobody has it."""
        lock = self._fetching.setdefault(package, trio.Lock())
        try:
            async with lock:
                return await self._fetched(package, peers)
        finally:
            found = lock.statistics()
            if not found.locked and not found.tasks_waiting and self._fetching.get(package) is lock:
                del self._fetching[package]

    async def _fetched(self, package: PackageId, peers: Sequence[PeerId]) -> Package | Rejection:
        known = self._packages.get(package)
        if known is not None and await self._blobs.has(known.manifest.module):
            return known
        sources = list(peers) or await self._mesh.find_providers(package)
        raw = await self._mesh.fetch_blob(package, MAX_MANIFEST, sources, timeout=FETCH_TIMEOUT)
        manifest = read_manifest(raw)
        if isinstance(manifest, Rejection):
            return manifest
        wasm = await self._mesh.fetch_blob(manifest.module, manifest.module_size, sources, timeout=FETCH_TIMEOUT)
        return await self.add(raw, wasm)

    async def announce(self, package: PackageId) -> None:
        """Tell the DHT that the package can be had here."""
        await self._mesh.provide(package)

    async def ready(self, package: PackageId) -> Manifest:
        """The manifest of a package whose module is compiled here; Transient when it cannot be had now."""
        found = await self.fetch(package)
        if isinstance(found, Rejection):
            raise Transient(f"package {package.hex()[:16]} cannot be used: {found.hint}")
        module = found.manifest.module
        if module not in self._prepared:
            wasm = await self._blobs.get(module)
            if wasm is None:
                raise Transient(f"module {module.hex()[:16]} is missing from the blob store")
            findings = await self._prepare(module, wasm)
            if findings:
                raise Transient(f"module {module.hex()[:16]} is refused: {findings[0].code}")
        return found.manifest

    async def run(self, job: Job) -> Run:
        """Run a module that :meth:`ready` prepared; Transient when the sandbox cannot run it now."""
        try:
            return await self._sandbox.run(job)
        except Transient:
            # Its cache may have dropped the module: the next attempt hands it in again.
            self._prepared.discard(ModuleId(job.module))
            raise

    async def inspect(self, wasm: bytes) -> list[Finding]:
        """Lint a module without keeping it."""
        return await self._sandbox.prepare(wasm)

    async def _prepare(self, module: ModuleId, wasm: bytes) -> list[Finding]:
        if module in self._prepared:
            return []
        findings = await self._sandbox.prepare(wasm)
        if not findings:
            self._prepared.add(module)
        return findings

    async def _publish(self, data: bytes) -> bytes:
        name = await self._blobs.put(data)
        await self._store.put_doc(PUBLIC, name, "{}")
        self._public.add(name)
        return name

    # --- private bytes: inputs and outputs ------------------------------------------------------------------------

    async def keep(self, data: bytes) -> bytes:
        """Store bytes that only the parties may have; their sha-256."""
        return await self._blobs.put(data)

    async def bytes_of(self, sha256: bytes) -> bytes | None:
        """Stored bytes by hash."""
        return await self._blobs.get(sha256)

    async def keep_salt(self, escrow: bytes, salt: bytes) -> None:
        """Remember the salt of a job's input: with it the payee can show a court that this was the input."""
        await self._store.put_doc(INPUT_SALT, escrow, msgspec.json.encode(salt.hex()).decode())

    async def salt_of(self, escrow: bytes) -> bytes | None:
        """The salt of a job's input."""
        doc = await self._store.get_doc(INPUT_SALT, escrow)
        return bytes.fromhex(msgspec.json.decode(doc, type=str)) if doc is not None else None

    # --- transcripts ----------------------------------------------------------------------------------------------

    async def keep_transcript(self, digest: bytes, transcript: Transcript) -> bytes:
        """Store a transcript under the hash that goes on chain; its blob's sha-256."""
        blob = await self._publish(msgspec.json.encode(transcript))
        await self._store.put_doc(TRANSCRIPT, digest, msgspec.json.encode(blob.hex()).decode())
        return blob

    async def transcript(self, blob: bytes) -> Transcript:
        """A stored transcript by its blob; Transient when it is gone."""
        raw = await self._blobs.get(blob)
        if raw is None:
            raise Transient(f"transcript {blob.hex()[:16]} is missing from the blob store")
        return msgspec.json.decode(raw, type=Transcript)

    async def find_transcript(self, digest: bytes, peers: Sequence[PeerId]) -> Transcript | Rejection:
        """The transcript whose hash stands on chain: from here, or from the first of ``peers`` that has it."""
        raw = await self._transcript_bytes(digest)
        if raw is not None:
            return msgspec.json.decode(raw, type=Transcript)
        request = messages.encode(TranscriptRequest(transcript=digest))
        for peer in peers:
            try:
                raw = await self._mesh.request(peer, "auction.transcript", request, timeout=FETCH_TIMEOUT)
                found = decode_transcript(raw)
                hashed = transcript_hash(self._genesis, found)
            except (Transient, RemoteRefusal, Misbehaviour, ValueError, OverflowError) as exc:
                log.info("transcript_not_there", peer=peer, why=str(exc))
                continue
            if hashed == digest:
                await self.keep_transcript(digest, found)
                return found
            log.warning("wrong_transcript", peer=peer)
        return Rejection(
            "transcript_not_found", "no peer could show the transcript; try again when its payer is online"
        )

    async def _transcript_bytes(self, digest: bytes) -> bytes | None:
        doc = await self._store.get_doc(TRANSCRIPT, digest)
        return await self._blobs.get(bytes.fromhex(msgspec.json.decode(doc, type=str))) if doc is not None else None

    async def _serve_transcript(self, peer: PeerId, body: bytes) -> bytes:
        del peer
        raw = await self._transcript_bytes(messages.decode(TranscriptRequest, body).transcript)
        if raw is None:
            raise RemoteRefusal("transcript_not_found", "this node does not have that transcript")
        return raw


def decode_transcript(raw: bytes) -> Transcript:
    """A transcript from a stranger; Misbehaviour on anything that is not one."""
    if len(raw) > MAX_TRANSCRIPT:
        raise Misbehaviour(f"a transcript of {len(raw)} bytes")
    try:
        transcript = msgspec.json.decode(raw, type=Transcript)
        if not 1 <= len(transcript.rows) <= MAX_COMMITS:
            raise Misbehaviour(f"a transcript of {len(transcript.rows)} rows")
        check_widths(bytes(32), transcript)  # under which genesis is all one
        return transcript
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as exc:
        raise Misbehaviour(f"malformed transcript: {exc}") from exc
