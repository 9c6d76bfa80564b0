"""The Ainur daemon: mesh, market, ledger, storage and command line."""
