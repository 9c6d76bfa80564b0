"""Errors that go back to a JSON-RPC client."""

import json

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
TOO_MANY, OVERSIZED_BATCH, OVERSIZED_ANSWER = -32006, -32010, -32011  # the numbers of Substrate's own server
STATE_ERROR = 4003  # its code for a state or block that cannot be read
MAX_TEXT = 500


class RpcError(Exception):
    """A refusal with its JSON-RPC code; `data` is text for people."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def json(self) -> dict[str, object]:
        """The `error` member of a response."""
        out: dict[str, object] = {"code": self.code, "message": self.message[:MAX_TEXT]}
        if self.data is not None:
            out["data"] = self.data[:MAX_TEXT]
        return out


def error_response(error: RpcError, request_id: object = None) -> str:
    """A whole error response as text."""
    return json.dumps({"jsonrpc": "2.0", "error": error.json(), "id": request_id})
