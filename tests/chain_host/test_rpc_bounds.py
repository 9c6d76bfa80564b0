"""What a client may not do to a host: huge requests, a thousand connections, operators' methods; proofs of reads."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from chain_host.hashing import blake2_128, blake2_256, storage_prefix
from chain_host.proofs import read_proof
from chain_host.rpc.node_methods import UNSAFE
from chain_host.rpc.server import MAX_CONNECTIONS, MAX_MESSAGE
from chain_host.trie import Trie, nibbles
from tests.chain_host.processes import Client, Refused, dial
from tests.chain_host.signing import remark, signer

pytestmark = pytest.mark.real
TEN_MB = 10_000_000


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("system_nonsense", ["x" * TEN_MB], -32601),
        ("state_getStorage", ["0x" + "00" * (TEN_MB // 2)], None),
        ("state_getStorage", ["x" * TEN_MB], -32602),
        ("author_submitExtrinsic", ["0x" + "00" * (TEN_MB // 2)], 1001),
        ("ainur_importBlock", ["0x" + "00" * (TEN_MB // 2)], 4100),
        ("state_call", ["Core_version", "0x" + "00" * (TEN_MB // 2)], 4003),
        ("chain_getBlockHash", [[0] * (TEN_MB // 3)], -32602),
    ],
)
def test_a_request_of_ten_megabytes_is_answered_or_refused_by_name(client: Client, method, params, code):
    answer = client.raw(json.dumps({"id": 1, "method": method, "params": params}), timeout=60)

    assert answer["id"] == 1
    assert (answer["error"]["code"] if code else answer.get("error")) == code
    assert client.call("system_name") == "ainur-chain-host"


def test_malformed_json_of_ten_megabytes_is_a_parse_error(client: Client):
    for text in ("[" * TEN_MB, '"' + "x" * TEN_MB, "{" * TEN_MB):
        assert client.raw(text, timeout=60)["error"]["code"] == -32700


def test_a_frame_above_the_limit_ends_its_connection_with_a_reason(host):
    with Client(host.url) as other, pytest.raises(ConnectionClosed) as closed:
        other.raw("x" * (MAX_MESSAGE + 1), timeout=60)
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def test_of_a_thousand_connections_the_first_are_served_and_the_others_refused_by_name(host):
    opened: list[ClientConnection] = []
    refused: list[int] = []

    def connect(_number: int) -> None:
        try:
            opened.append(dial(host.url))
        except InvalidStatus as exc:
            refused.append(exc.response.status_code)

    with Client(host.url) as resident:
        try:
            with ThreadPoolExecutor(32) as threads:
                list(threads.map(connect, range(1_000)))
            assert resident.call("system_name") == "ainur-chain-host"
            assert len(opened) + len(refused) == 1_000
            assert len(opened) < MAX_CONNECTIONS
            assert set(refused) == {503}
            for each in opened:
                each.send('{"id":1,"method":"system_chain"}')
            for each in opened:
                assert json.loads(each.recv(timeout=60))["id"] == 1
        finally:
            for each in opened:
                each.close()
        assert resident.call("chain_getHeader")


def test_operators_methods_are_refused_by_name_and_not_listed(client: Client):
    listed = client.call("rpc_methods")["methods"]

    for name in UNSAFE:
        assert name not in listed
        with pytest.raises(Refused, match="unsafe") as refused:
            client.call(name)
        assert (refused.value.code, refused.value.data) == (-32601, name)


def test_a_removed_extrinsic_is_told_invalid_and_banned(client: Client, signing):
    raw = signing.sign(signer(30), client.call("system_accountNextIndex", signer(30).ss58) + 9, remark(b""))
    subscription = client.call("author_submitAndWatchExtrinsic", hexed(raw))
    assert client.note()["params"]["result"] == "future"

    assert client.call("author_removeExtrinsic", [{"hash": hexed(blake2_256(raw))}]) == [hexed(blake2_256(raw))]

    assert client.note()["params"] == {"subscription": subscription, "result": "invalid"}
    assert client.call("author_removeExtrinsic", [{"extrinsic": hexed(raw)}]) == []
    with pytest.raises(Refused) as refused:
        client.call("author_submitExtrinsic", hexed(raw))
    assert refused.value.code == 1012


def test_a_dry_run_is_that_of_the_block_after(client: Client, signing):
    nonce = client.call("system_accountNextIndex", signer(31).ss58)
    good, late = signing.sign(signer(31), nonce, remark(b"")), signing.sign(signer(31), nonce + 1, remark(b""))

    assert client.call("system_dryRun", hexed(good)) == "0x0000"
    assert client.call("system_dryRun", hexed(late)).startswith("0x01")
    assert client.call("system_accountNextIndex", signer(31).ss58) == nonce


def test_there_is_no_child_storage(client: Client):
    child = hexed(b":child_storage:default:\1")

    assert client.call("childstate_getKeys", child, "0x") == []
    assert client.call("childstate_getStorage", child, "0x01") is None
    assert client.call("childstate_getStorageEntries", child, ["0x01", "0x02"]) == [None, None]
    with pytest.raises(Refused, match="UnknownBlock"):
        client.call("childstate_getStorage", child, "0x01", "0x" + "77" * 32)


def test_keys_and_pairs_without_pages_are_those_of_the_pages(client: Client):
    prefix = hexed(storage_prefix("System", "Account"))
    at = client.call("chain_getBlockHash")

    keys = client.call("state_getKeys", prefix, at)
    assert keys == client.call("state_getKeysPaged", prefix, 1000, None, at)
    assert client.call("state_getPairs", prefix, at) == [
        [key, client.call("state_getStorage", key, at)] for key in keys
    ]


# ---- read proofs ------------------------------------------------------------------------------------------


def proven(root: bytes, proof: list[bytes], key: bytes) -> bytes | None:
    """Value that a proof shows, by a decoder of its own; raises LookupError when the proof does not reach it."""
    nodes = {blake2_256(node): node for node in proof}
    node, path = nodes[root], nibbles(key)
    while True:
        first = node[0]
        if first >> 6 == 1:
            kind, bits = "leaf", 6
        elif first >> 6 == 2:
            kind, bits = "branch", 6
        elif first >> 6 == 3:
            kind, bits = "branch with value", 6
        elif first >> 5 == 1:
            kind, bits = "hashed leaf", 5
        else:
            assert first >> 4 == 1
            kind, bits = "hashed branch", 4
        count, at = first & ((1 << bits) - 1), 1
        if count == (1 << bits) - 1:
            while True:
                count, at = count + node[at], at + 1
                if node[at - 1] < 255:
                    break
        packed = node[at : at + (count + 1) // 2]
        partial, at = nibbles(packed)[count & 1 :], at + len(packed)
        if path[:count] != partial:
            return None
        path = path[count:]
        bitmap = 0
        if "branch" in kind:
            bitmap, at = int.from_bytes(node[at : at + 2], "little"), at + 2
        value = None
        if "hashed" in kind:
            value, at = nodes.get(node[at : at + 32]), at + 32
        elif kind in ("leaf", "branch with value"):
            size, at = node[at] >> 2, at + 1
            value, at = node[at : at + size], at + size
        if not path:
            if "hashed" in kind and value is None:
                raise LookupError("the value is not in the proof")
            return value
        if not bitmap >> path[0] & 1:
            return None
        for slot in range(path[0] + 1):
            if bitmap >> slot & 1:
                size, at = node[at] >> 2, at + 1
                reference, at = node[at : at + size], at + size
        node = nodes[reference] if len(reference) == 32 else reference
        path = path[1:]


def test_a_read_proof_shows_what_keys_hold_and_which_are_absent():
    values = {blake2_256(b"%d" % i)[: 1 + i % 20]: bytes([i % 250]) * (i % 60) for i in range(400)}
    trie = Trie().updated(values)
    absent = [blake2_256(b"absent %d" % i) for i in range(50)]

    for key in [*values, *absent, b""]:
        assert proven(trie.root, read_proof(trie, [key]), key) == values.get(key)
    whole = read_proof(trie, list(values))
    assert all(proven(trie.root, whole, key) == value for key, value in values.items())


def test_proofs_of_the_head_and_of_old_blocks_reach_their_state_roots(client: Client, signing):
    who = signer(32)
    account = storage_prefix("System", "Account") + blake2_128(who.public) + who.public
    keys = [hexed(account), hexed(b"nothing here"), hexed(b":code")]
    old = client.call("chain_getBlockHash", 0)
    nonce = client.call("system_accountNextIndex", who.ss58)
    client.call("author_submitExtrinsic", hexed(signing.sign(who, nonce, remark(b""))))
    client.call("chain_subscribeNewHeads")
    client.note()
    client.note()

    for at in (old, client.call("chain_getBlockHash")):
        found = client.call("state_getReadProof", keys, at)
        root = bytes.fromhex(client.call("chain_getHeader", at)["stateRoot"][2:])
        proof = [bytes.fromhex(node[2:]) for node in found["proof"]]
        assert found["at"] == at
        for key in keys:
            value = proven(root, proof, bytes.fromhex(key[2:]))
            assert client.call("state_getStorage", key, at) == (None if value is None else hexed(value))


# ---- polkadot-js ------------------------------------------------------------------------------------------

CHECK = Path(__file__).parent / "polkadot_js" / "check.mjs"
MODULES = Path(os.environ.get("AINUR_POLKADOT_JS", CHECK.parent))


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None or not (MODULES / "node_modules" / "@polkadot" / "api").is_dir(),
    reason="@polkadot/api is not installed: npm install @polkadot/api@16.5.6, AINUR_POLKADOT_JS names the directory",
)
def test_everything_that_polkadot_js_does_works(host):
    done = subprocess.run(
        ["node", str(CHECK), host.url, hexed(signer(33).seed)],
        cwd=MODULES,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    said = json.loads(done.stdout.splitlines()[-1])
    assert said["failed"] == {}, done.stderr
    assert len(said["done"]) > 50


# ---- many requests at once --------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_requests_however_long_each_takes(client: Client):
    requests = []
    for number in range(200):
        method, params = [
            ("state_getMetadata", []),
            ("system_name", []),
            ("state_call", ["Core_version", "0x"]),
            ("chain_subscribeRuntimeVersion", []),
            ("nonsense", []),
        ][number % 5]
        requests.append(json.dumps({"id": number, "method": method, "params": params}))
    for request in requests:
        client.socket.send(request)

    answered = []
    while len(answered) < len(requests):
        frame = json.loads(client.socket.recv(timeout=60))
        if "id" in frame:
            answered.append(frame["id"])
    assert answered == list(range(200))


def test_extrinsics_sent_without_waiting_are_admitted_in_their_order(client: Client, signing):
    who = signer(34)
    first = client.call("system_accountNextIndex", who.ss58)
    raws = [signing.sign(who, first + step, remark(b"")) for step in range(100)]
    for number, raw in enumerate(raws):
        client.socket.send(json.dumps({"id": number, "method": "author_submitExtrinsic", "params": [hexed(raw)]}))

    answers = [json.loads(client.socket.recv(timeout=60)) for _ in raws]

    assert [answer["id"] for answer in answers] == list(range(100))
    assert [answer["result"] for answer in answers] == [hexed(blake2_256(raw)) for raw in raws]


def test_a_client_that_goes_in_the_middle_of_its_requests_leaves_nothing_behind(host, client: Client):
    for _ in range(5):
        lazy = dial(host.url)
        for number in range(300):
            lazy.send(json.dumps({"id": number, "method": "state_getMetadata"}))
        lazy.socket.close()
    assert client.call("system_name") == "ainur-chain-host"
    opened = [dial(host.url) for _ in range(MAX_CONNECTIONS - 20)]  # their places are free again
    for each in opened:
        each.close()
