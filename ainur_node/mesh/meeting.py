"""Meeting peers: dial, exchange hellos, refuse another world, redial for ever, forget nobody too soon."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import trio
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction
from multiaddr import Multiaddr

from ainur_node.domain.ids import PeerId
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.mesh import wire
from ainur_node.mesh.peers import AddressBook, Peer, Standing, dialable, node_key_of, split_address
from ainur_node.mesh.records import WrongWorld
from ainur_node.mesh.settings import Counters, MeshSettings
from ainur_node.mesh.streams import FramedStream

PROTOCOL = "/ainur/hello/1"
PROTOCOLS = ("/ainur/hello/1", "/ainur/rpc/1", "/ainur/blob/1")
_REMEMBERED_WORLDS = 32


class _Meeting:
    """One peer with whom hellos are exchanged or being exchanged."""

    def __init__(self) -> None:
        self.settled = trio.Event()
        self.hello: wire.Hello | None = None
        self.refusal: WrongWorld | None = None
        self.since = time.time()


class Meetings:
    """Who is connected and of our world; as a libp2p notifee it hears of every connection."""

    def __init__(self, settings: MeshSettings, genesis_hash: bytes, counters: Counters, standing: Standing) -> None:
        self._settings = settings
        self._genesis = genesis_hash
        self._counters = counters
        self._standing = standing
        self.book = AddressBook(settings.addresses_kept)
        self.wrong_worlds: OrderedDict[str, WrongWorld] = OrderedDict()
        self.on_met: list[Callable[[PeerId], None]] = []
        self.on_lost: list[Callable[[PeerId], None]] = []
        self.on_wrong_world: list[Callable[[WrongWorld], None]] = []
        self._meetings: dict[str, _Meeting] = {}
        self._dialling: dict[str, trio.Lock] = {}
        self._lost = trio.Event()
        self._host: Any = None
        self._nursery: trio.Nursery | None = None

    def attach(self, host: Any) -> None:
        """Register on the host, before it listens."""
        self._host = host
        host.set_stream_handler(PROTOCOL, self._answer_hello)
        host.get_network().register_notifee(self)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks of meetings and redials; ends only by cancellation."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            for address in self._settings.bootstrap:
                nursery.start_soon(self._keep_connected, address)
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None

    # --- what libp2p tells us ---------------------------------------------------------------------------------

    async def connected(self, _network: Any, connection: Any) -> None:
        """A connection is up in either direction; the side that dialled speaks first."""
        peer_id = str(connection.muxed_conn.peer_id)
        if self._nursery is None:
            return
        meeting = self._meetings.get(peer_id)
        if meeting is None or meeting.refusal is not None:
            meeting = self._meetings[peer_id] = _Meeting()
        if meeting.hello is None:
            self._nursery.start_soon(self._meet, peer_id, connection, meeting)

    async def disconnected(self, network: Any, connection: Any) -> None:
        """A connection is down; the peer is lost when it was the last one."""
        peer = connection.muxed_conn.peer_id
        if any(not c.is_closed for c in network.get_connections(peer)):
            return
        # What identify told of the peer may be a megabyte; the address book keeps what is of use.
        with suppress(Exception):  # reason: libp2p raises when it knows nothing of the peer
            self._host.get_peerstore().clear_peerdata(peer)
        peer_id = str(peer)
        meeting = self._meetings.pop(peer_id, None)
        if meeting is None:
            return
        meeting.settled.set()
        if meeting.hello is not None:
            self._counters.count("peers_lost")
            for tell in self.on_lost:
                tell(PeerId(peer_id))
        self._lost.set()
        self._lost = trio.Event()

    async def opened_stream(self, _network: Any, _stream: Any) -> None:
        """Part of libp2p's notifee interface."""

    async def closed_stream(self, _network: Any, _stream: Any) -> None:
        """Part of libp2p's notifee interface."""

    async def listen(self, _network: Any, _address: Any) -> None:
        """Part of libp2p's notifee interface."""

    async def listen_close(self, _network: Any, _address: Any) -> None:
        """Part of libp2p's notifee interface."""

    # --- hello ------------------------------------------------------------------------------------------------

    async def _meet(self, peer_id: str, connection: Any, meeting: _Meeting) -> None:
        if self._standing.is_banned(peer_id):
            self._counters.count("banned_refused")
            await self.drop(peer_id)
            return
        try:
            with trio.move_on_after(self._settings.hello_timeout):
                if connection.direction == Direction.OUTBOUND:
                    await self._say_hello(peer_id, meeting)
                else:
                    await meeting.settled.wait()
        except Transient:
            self._counters.count("hellos_failed")
        except Misbehaviour as exc:
            self.strike(peer_id, str(exc))
        if self._meetings.get(peer_id) is meeting and meeting.hello is None:
            if meeting.refusal is None:
                self._counters.count("hellos_missing")
            await self.drop(peer_id)

    async def _say_hello(self, peer_id: str, meeting: _Meeting) -> None:
        stream = await self.open_raw(peer_id, PROTOCOL)
        try:
            await stream.write(self._own_hello(), self._settings.hello_timeout)
            frame = await stream.read_frame(wire.MAX_HELLO)
            if frame is None:
                raise Transient(f"{peer_id} closed the hello stream")
            self._judge(peer_id, meeting, wire.decode_hello(frame), stream.remote_ip)
        finally:
            await stream.close()

    async def _answer_hello(self, raw: Any) -> None:
        stream = FramedStream(raw)
        peer_id = stream.peer_id
        with trio.move_on_after(self._settings.hello_timeout):
            frame = await stream.read_frame(wire.MAX_HELLO)
            if frame is None:
                return
            try:
                hello = wire.decode_hello(frame)
            except Misbehaviour as exc:
                self.strike(peer_id, str(exc))
                await stream.reset()
                return
            # Answer before judging: a peer of another world has to learn that it is.
            await stream.write(self._own_hello(), self._settings.hello_timeout)
            await stream.close()
            # libp2p may tell us of the connection after its first stream, but not after its end.
            if self._host.get_network().get_connections(ID.from_base58(peer_id)):
                meeting = self._meetings.setdefault(peer_id, _Meeting())
                self._judge(peer_id, meeting, hello, stream.remote_ip)

    def _own_hello(self) -> bytes:
        hello = wire.Hello(
            genesis=self._genesis,
            network=self._settings.network[:64],
            versions=list(PROTOCOLS),
            node=self._settings.software[:64],
            listen=self.own_addresses()[:8],
        )
        return wire.framed(wire.encode(hello))

    def own_addresses(self) -> list[str]:
        """Transport addresses that others should dial."""
        if self._settings.announce:
            return list(self._settings.announce)
        return [str(a).partition("/p2p/")[0] for a in self._host.get_transport_addrs()] if self._host else []

    def _judge(self, peer_id: str, meeting: _Meeting, hello: wire.Hello, seen_ip: str) -> None:
        if meeting.settled.is_set():
            return
        if hello.genesis != self._genesis:
            self._counters.count("wrong_worlds")
            meeting.refusal = WrongWorld(peer_id, self._genesis, hello.genesis, hello.network)
            for tell_refusal in self.on_wrong_world:
                tell_refusal(meeting.refusal)
            self.wrong_worlds[peer_id] = meeting.refusal
            self.wrong_worlds.move_to_end(peer_id)
            while len(self.wrong_worlds) > _REMEMBERED_WORLDS:
                self.wrong_worlds.popitem(last=False)
            # The dialling side hangs up; waiting for it lets our answer arrive first.
            self._standing.ban(peer_id, self._settings.wrong_world_pause)
            if self._nursery is not None:
                self._nursery.start_soon(self._drop_later, peer_id)
        else:
            meeting.hello = hello
            meeting.since = time.time()
            self.book.learn(peer_id, dialable(hello.listen, seen_ip))
            self._counters.count("peers_met")
            for tell in self.on_met:
                tell(PeerId(peer_id))
        meeting.settled.set()

    async def _drop_later(self, peer_id: str) -> None:
        await trio.sleep(1.0)
        if self._standing.is_banned(peer_id):
            await self.drop(peer_id)

    # --- use --------------------------------------------------------------------------------------------------

    def is_met(self, peer_id: str) -> bool:
        """Connected, and of our world."""
        meeting = self._meetings.get(peer_id)
        return meeting is not None and meeting.hello is not None

    def peers(self) -> list[Peer]:
        """Every peer met and still connected."""
        return [
            Peer(PeerId(peer_id), self.book.addresses(peer_id), meeting.since)
            for peer_id, meeting in self._meetings.items()
            if meeting.hello is not None
        ]

    def addresses_of(self, peer_id: str) -> tuple[str, ...]:
        """Transport addresses known of a peer, best first."""
        return self.book.addresses(peer_id)

    def learn(self, peer_id: str, addresses: Iterable[str]) -> None:
        """Keep addresses of a peer that is not connected; those of a connected one are better known."""
        if not self.is_met(peer_id):
            self.book.learn(peer_id, dialable(addresses))

    def strike(self, peer_id: str, reason: str) -> None:
        """Note a fault of the peer; too many of them and it is dropped and banned for a while."""
        self._counters.count("strikes")
        if self._standing.strike(peer_id) and self._nursery is not None:
            self._counters.count("bans")
            self._nursery.start_soon(self.drop, peer_id)

    async def drop(self, peer_id: str) -> None:
        """Close every connection to the peer."""
        with trio.move_on_after(3.0):
            try:
                await self._host.get_network().close_peer(ID.from_base58(peer_id))
            except Exception:  # noqa: BLE001 # reason: the connection is gone either way
                self._counters.count("drops_failed")

    async def close(self) -> None:
        """Close every connection at once; libp2p closes them one by one, a fifth of a second each."""
        async with trio.open_nursery() as nursery:
            for peer in list(self._host.get_network().connections):
                nursery.start_soon(self.drop, str(peer))

    async def wait_met(self, peer_id: str) -> None:
        """Return when the hello of a connected peer was accepted; Transient or WrongWorld otherwise."""
        meeting = self._meetings.get(peer_id)
        if meeting is None:
            raise Transient(f"{peer_id} is not connected")
        with trio.move_on_after(self._settings.hello_timeout):
            await meeting.settled.wait()
        if meeting.refusal is not None:
            raise meeting.refusal
        if meeting.hello is None:
            raise Transient(f"{peer_id} sent no hello")

    async def reach(self, peer_id: str, addresses: tuple[str, ...] = ()) -> None:
        """Be connected to the peer and of one world with it, dialling when needed.

        Transient when it cannot be reached, WrongWorld when it lives elsewhere.
        """
        if self.is_met(peer_id):
            return
        node_key_of(peer_id)
        lock = self._dialling.setdefault(peer_id, trio.Lock())
        try:
            async with lock:
                if not self.is_met(peer_id):
                    await self._dial(peer_id, addresses)
        finally:
            # Also when the caller gave up before it had the lock: nothing may be left of a dial nobody waits for.
            found = lock.statistics()
            if not found.locked and not found.tasks_waiting and self._dialling.get(peer_id) is lock:
                del self._dialling[peer_id]

    async def _dial(self, peer_id: str, addresses: tuple[str, ...]) -> None:
        if self._standing.is_banned(peer_id):
            refusal = self.wrong_worlds.get(peer_id)
            if refusal is not None:
                raise refusal
            raise Transient(f"{peer_id} is not dialled for a while")
        if peer_id not in self._meetings:
            candidates = tuple(dict.fromkeys([*addresses, *self.book.addresses(peer_id)]))
            if not candidates:
                raise Transient(f"no address of {peer_id} is known")
            await self._dial_any(peer_id, candidates)
        await self.wait_met(peer_id)

    async def _dial_any(self, peer_id: str, candidates: tuple[str, ...]) -> None:
        network = self._host.get_network()
        self._counters.count("dials")
        reason = "no address"
        for address in candidates:
            # libp2p's own dial tries one address per transport and then refuses the peer for a minute.
            try:
                with trio.fail_after(self._settings.dial_timeout):
                    await network.dial_addr(Multiaddr(address), ID.from_base58(peer_id))
                self.book.learn(peer_id, [address])
                return
            except trio.TooSlowError:
                reason = f"{address}: no answer"
            except Exception as exc:  # noqa: BLE001 # reason: dialling raises anything from OSError to ValueError
                reason = f"{address}: {exc}"
            if peer_id in self._meetings:
                return
        self._counters.count("dials_failed")
        raise Transient(f"{peer_id} cannot be reached: {reason}")

    async def open_raw(self, peer_id: str, protocol: str) -> FramedStream:
        """A new stream to a connected peer; Transient when that fails."""
        try:
            return FramedStream(await self._host.new_stream(ID.from_base58(peer_id), [protocol]))
        except Exception as exc:  # reason: see streams.FramedStream
            raise Transient(f"no stream to {peer_id}: {exc}") from exc

    async def open_stream(self, peer_id: str, protocol: str) -> FramedStream:
        """A new stream to a peer of our world, dialled when needed."""
        try:
            await self.reach(peer_id)
        except WrongWorld as exc:
            raise Transient(str(exc)) from exc
        return await self.open_raw(peer_id, protocol)

    async def _keep_connected(self, address: str) -> None:
        """Dial a configured peer again and again; a dead one costs a dial a minute, for ever."""
        transport, peer_id = split_address(address)
        delay = self._settings.redial_first
        while True:
            lost = self._lost
            try:
                await self.reach(peer_id, (transport,))
                delay = self._settings.redial_first
                if self.is_met(peer_id):
                    await lost.wait()
                    continue
            except WrongWorld:
                await trio.sleep(self._settings.wrong_world_pause)
                continue
            except (Transient, Misbehaviour):
                self._counters.count("redials_failed")
            # Jitter, so that nodes that lost the same peer do not come back in step.
            await trio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 # not a secret
            delay = min(delay * 2, self._settings.redial_most)
