"""A websocket proxy before a chain host that loses, keeps back, or rewrites what goes through it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve


class ProxyNode:
    """Forwards JSON-RPC to ``upstream``; its switches may be turned while it runs.

    ``before(method)`` and ``after(method)`` may return "cut" to end the connection before the request
    is forwarded or before its answer is; "swallow" keeps the request, or the answer, back for ever.
    ``rewrite(method, answer)`` returns another answer, or text that is sent as it is.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.before: Callable[[str], str | None] = lambda _: None
        self.after: Callable[[str], str | None] = lambda _: None
        self.rewrite: Callable[[str, dict[str, Any]], Any] = lambda _, answer: answer
        self.seen: list[str] = []
        self.subscriptions: dict[str, Any] = {}  # the newest of each method
        self._clients: list[ServerConnection] = []
        self._server = serve(self._client, "127.0.0.1", 0, compression=None, max_size=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(5)

    def notify(self, method: str, result: Any) -> None:
        """Tell the newest client something that the node did not say."""
        params = {"subscription": self.subscriptions[method], "result": result}
        self._clients[-1].send(json.dumps({"jsonrpc": "2.0", "method": "news", "params": params}))

    def cut(self) -> None:
        """End all connections now."""
        clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    def reset(self) -> None:
        self.before = self.after = lambda _: None
        self.rewrite = lambda _, answer: answer

    def _client(self, client: ServerConnection) -> None:
        self._clients.append(client)
        with connect(self.upstream, compression=None, max_size=None, legacy=True) as node:
            methods: dict[int, str] = {}
            back = threading.Thread(target=self._answers, args=(client, node, methods), daemon=True)
            back.start()
            try:
                for message in client:
                    request = json.loads(message)
                    method = request["method"]
                    self.seen.append(method)
                    methods[request["id"]] = method
                    match self.before(method):
                        case "cut":
                            return
                        case "swallow":
                            continue
                    node.send(message)
            except ConnectionClosed:
                pass
            finally:
                node.close()
                client.close()
                back.join(5)

    def _answers(self, client: ServerConnection, node: Any, methods: dict[int, str]) -> None:
        try:
            for message in node:
                answer = json.loads(message)
                method = methods.get(answer.get("id"), "notification")
                if "subscribe" in method.lower():
                    self.subscriptions[method] = answer.get("result")
                match self.after(method):
                    case "cut":
                        client.close()
                        return
                    case "swallow":
                        continue
                out = self.rewrite(method, answer)
                client.send(out if isinstance(out, str | bytes) else json.dumps(out))
        except ConnectionClosed:
            client.close()
