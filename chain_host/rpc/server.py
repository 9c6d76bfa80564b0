"""The WebSocket server: connections, requests, batches and notifications, every queue bounded."""

import asyncio
import http
import json
import re
import traceback
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from chain_host.errors import BodyDiscarded, MalformedScale, RuntimeTrap, StateDiscarded, UnknownBlock
from chain_host.node import NewBlock, Node
from chain_host.pool import PoolRefusal
from chain_host.spec import PROPERTIES
from chain_host.store import BlockReader

from .ainur_methods import ainur_methods
from .child_methods import child_methods
from .connection import MAX_AT_WORK_BYTES, Backlog, Connection
from .encoding import dumps, header_json, hexed
from .errors import (
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MAX_TEXT,
    METHOD_NOT_FOUND,
    OVERSIZED_ANSWER,
    OVERSIZED_BATCH,
    PARSE_ERROR,
    RpcError,
    error_response,
)
from .methods import Method, RawJson, block_methods, system_methods
from .node_methods import UNSAFE, node_methods, specification_methods, unsafe
from .params import Params
from .state_methods import payment_methods, pool_methods, state_methods
from .subscriptions import MAX_WATCHED_KEYS, Subscriptions
from .views import CODE_KEY, Views, state_error

MAX_MESSAGE = 12 << 20  # an extrinsic of 5 MiB in hexadecimal, with room for its batch
MAX_CONNECTIONS = 128
MAX_BATCH = 256
BATCH_AT_WORK = 8  # members of a batch that are worked on at once
MAX_ANSWER = 32 << 20  # of a batch
# Browsers send an Origin: pages of other sites must not reach a node on the loopback address.
LOCAL_ORIGIN = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")

MAX_FRAMES = 20  # of a fault's trace on stderr
NOT_JSON = object()

Sub = Callable[[Connection, Params], Any]


class RpcServer:
    """All methods of one node."""

    def __init__(self, node: Node, reader: BlockReader, *, chain_name: str, version: str) -> None:
        self.node = node
        self.views = Views(node, reader)
        self.subscriptions = Subscriptions()
        self._connections: set[Connection] = set()
        self._backlog = Backlog()
        self._methods: dict[str, Method] = {
            **system_methods(self.views, chain_name=chain_name, version=version),
            **block_methods(self.views),
            **state_methods(self.views),
            **payment_methods(self.views),
            **pool_methods(self.views),
            **ainur_methods(self.views),
            **child_methods(self.views),
            **node_methods(self.views),
            **specification_methods(self.views, chain_name=chain_name, properties=PROPERTIES),
            "author_submitExtrinsic": self._submit,
            "rpc_methods": self._names,
        }
        self._subscribing: dict[str, Sub] = {
            **dict.fromkeys(
                ("chain_subscribeNewHeads", "chain_subscribeNewHead", "subscribe_newHead"),
                lambda c, _p: self._watch_heads(c, "chain_newHead"),
            ),
            "chain_subscribeAllHeads": lambda c, _p: self._watch_heads(c, "chain_allHead"),
            **dict.fromkeys(
                ("chain_subscribeFinalizedHeads", "chain_subscribeFinalisedHeads"),
                lambda c, _p: self._watch_heads(c, "chain_finalizedHead"),
            ),
            "state_subscribeStorage": self._watch_storage,
            **dict.fromkeys(("state_subscribeRuntimeVersion", "chain_subscribeRuntimeVersion"), self._watch_version),
            "author_submitAndWatchExtrinsic": self._submit_and_watch,
            "grandpa_subscribeJustifications": self._watch_justifications,
        }
        self._ending = {
            "chain_unsubscribeNewHeads",
            "chain_unsubscribeNewHead",
            "unsubscribe_newHead",
            "chain_unsubscribeAllHeads",
            "chain_unsubscribeFinalizedHeads",
            "chain_unsubscribeFinalisedHeads",
            "state_unsubscribeStorage",
            "state_unsubscribeRuntimeVersion",
            "chain_unsubscribeRuntimeVersion",
            "author_unwatchExtrinsic",
            "grandpa_unsubscribeJustifications",
        }
        self._tasks: set[asyncio.Task[None]] = set()
        node.on_block = self._new_block
        node.on_statuses = self.subscriptions.statuses

    async def listen(self, port: int) -> tuple[Server, int]:
        """Serve on the loopback address; port 0 takes a free one. Returns the port in use."""
        server = await serve(
            self._serve,
            "127.0.0.1",
            port,
            max_size=MAX_MESSAGE,
            max_queue=1,
            compression=None,
            origins=[None, LOCAL_ORIGIN],
            process_request=self._admit,
            # clients that block between requests answer no pings, and a lost loopback peer closes its socket
            ping_interval=None,
            server_header=None,
        )
        return server, server.sockets[0].getsockname()[1]

    def _admit(self, connection: ServerConnection, _request: Request) -> Response | None:
        if len(self._connections) >= MAX_CONNECTIONS:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many connections\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        connection = Connection(socket, self._backlog)
        self._connections.add(connection)
        helpers = [asyncio.create_task(connection.write()), asyncio.create_task(connection.answer())]
        try:
            async for message in socket:
                await self._take(connection, message)
        except ConnectionClosed:
            pass
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            connection.forget()
            self._connections.discard(connection)
            self.subscriptions.drop(connection)

    # ---- requests --------------------------------------------------------------------------------------
    async def _take(self, connection: Connection, message: str | bytes) -> None:
        """Begin a plain request beside others that are still worked on; everything else waits until they are done."""
        try:
            request = json.loads(message)
        except (ValueError, RecursionError):
            request = NOT_JSON
        if len(message) <= MAX_AT_WORK_BYTES and self._is_plain(request):
            await connection.work(self._respond(connection, request))
            return
        await connection.settled()
        answer = await self._answer(connection, request)
        held, connection.held = connection.held, None
        for text in (*(() if answer is None else (answer,)), *(held or ())):
            connection.push(text)
        await connection.caught_up()

    def _is_plain(self, request: object) -> bool:
        method = request.get("method") if isinstance(request, dict) else None
        return isinstance(method, str) and method in self._methods

    async def _answer(self, connection: Connection, request: object) -> str | None:
        if request is NOT_JSON:
            return error_response(RpcError(PARSE_ERROR, "Parse error"))
        if not isinstance(request, list):
            return await self._respond(connection, request)
        if not request:
            return error_response(RpcError(INVALID_REQUEST, "Invalid request"))
        if len(request) > MAX_BATCH:
            return error_response(RpcError(OVERSIZED_BATCH, "The batch request was too large", f"{MAX_BATCH}"))
        answers: list[str] = []
        room = MAX_ANSWER
        for start in range(0, len(request), BATCH_AT_WORK):
            begun = [self._respond(connection, each, batched=True) for each in request[start : start + BATCH_AT_WORK]]
            for answer in await asyncio.gather(*begun):
                if answer is not None:
                    room -= len(answer)
                    answers.append(answer)
            if connection.gone:
                return None
            if room < 0:
                return error_response(RpcError(OVERSIZED_ANSWER, "The batch response was too large", f"{MAX_ANSWER}"))
        return f"[{','.join(answers)}]" if answers else None

    async def _respond(self, connection: Connection, request: object, *, batched: bool = False) -> str | None:
        """One response, None for a notification."""
        request_id = request.get("id") if isinstance(request, dict) else None
        if not isinstance(request_id, str | int | float | None) or isinstance(request_id, bool):
            return error_response(RpcError(INVALID_REQUEST, "Invalid request", "an id is a number or a string"))
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return error_response(RpcError(INVALID_REQUEST, "Invalid request"), request_id)
        name = request["method"]
        if batched and name in self._subscribing:
            return error_response(RpcError(INVALID_REQUEST, "Subscriptions are not allowed in a batch"), request_id)
        try:
            result = await self._call(connection, name, Params(request.get("params")))
        except RpcError as exc:
            return error_response(exc, request_id)
        if "id" not in request:
            return None
        text = result if isinstance(result, RawJson) else dumps(result)
        return f'{{"jsonrpc":"2.0","result":{text},"id":{json.dumps(request_id)}}}'

    async def _call(self, connection: Connection, name: str, params: Params) -> Any:
        try:
            method = self._methods.get(name)
            if method is not None:
                return await method(params)
            subscribe = self._subscribing.get(name)
            if subscribe is not None:
                return await subscribe(connection, params)
            if name in self._ending:
                return self.subscriptions.remove(connection, str(params.get(0)))
        except PoolRefusal as exc:
            raise RpcError(exc.code, exc.message, exc.data) from exc
        except (UnknownBlock, StateDiscarded, BodyDiscarded) as exc:
            raise state_error(exc) from exc
        except RuntimeTrap as exc:
            raise RpcError(4003, f"Client error: Execution failed: {exc}") from exc
        except (MalformedScale, RecursionError, OverflowError) as exc:
            raise RpcError(INVALID_PARAMS, "Invalid params", str(exc)) from exc
        except RpcError:
            raise
        except RuntimeError as exc:  # the executor is closing
            raise RpcError(INTERNAL, "Internal error", str(exc)) from exc
        except Exception as exc:  # reason: without an answer its client, and all it asked after, would wait for ever
            traceback.print_exc(limit=MAX_FRAMES)
            raise RpcError(INTERNAL, "Internal error", f"{type(exc).__name__}: {exc}"[:MAX_TEXT]) from exc
        if name in UNSAFE:
            raise unsafe(name)
        raise RpcError(METHOD_NOT_FOUND, "Method not found")

    async def _names(self, _params: Params) -> Any:
        return {"methods": sorted([*self._methods, *self._subscribing, *self._ending])}

    async def _submit(self, params: Params) -> Any:
        extrinsic, statuses = await self.node.submit(params.hex(0, "an extrinsic"))
        self.subscriptions.statuses(statuses)
        return hexed(extrinsic)

    # ---- subscriptions ---------------------------------------------------------------------------------
    async def _submit_and_watch(self, connection: Connection, params: Params) -> Any:
        raw = params.hex(0, "an extrinsic")
        self.subscriptions.check_room(connection)
        extrinsic, statuses = await self.node.submit(raw)
        one = self.subscriptions.add(connection, "author_extrinsicUpdate", extrinsic=extrinsic)
        connection.held = []
        self.subscriptions.statuses(statuses)
        return one.id

    async def _watch_heads(self, connection: Connection, method: str) -> Any:
        one = self.subscriptions.add(connection, method)
        connection.held = []
        one.send(dumps(header_json(self.views.head[0])))
        return one.id

    async def _watch_storage(self, connection: Connection, params: Params) -> Any:
        keys = params.keys(0, most=MAX_WATCHED_KEYS)
        one = self.subscriptions.add(connection, "state_storage", keys=frozenset(keys))
        values = self.views.values(keys, None)
        changes = [[hexed(key), hexed(value)] for key, value in zip(keys, values, strict=True)]
        connection.held = []
        one.send(dumps({"block": hexed(self.views.head[1]), "changes": changes}))
        return one.id

    async def _watch_justifications(self, connection: Connection, _params: Params) -> Any:
        """There are none: whoever waits for one waits as at a node whose validators are away."""
        return self.subscriptions.add(connection, "grandpa_justifications").id

    async def _watch_version(self, connection: Connection, _params: Params) -> Any:
        facts = await self.views.runtime(None)
        one = self.subscriptions.add(connection, "state_runtimeVersion")
        connection.held = []
        one.send(dumps(facts.version))
        return one.id

    def _new_block(self, block: NewBlock) -> None:
        changed = [key for key in self.subscriptions.watched_keys() if key in block.overwritten]
        values = dict(zip(changed, self.views.values(changed, block.hash), strict=True)) if changed else {}
        self.subscriptions.block(block, values)
        if CODE_KEY in block.overwritten:
            task = asyncio.create_task(self._new_runtime(block))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _new_runtime(self, block: NewBlock) -> None:
        facts = await self.views.runtime(block.hash)
        self.subscriptions.version(dumps(facts.version))
