"""JSON-RPC 2.0 over WebSocket, as Substrate nodes speak it."""
