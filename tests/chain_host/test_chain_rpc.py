"""JSON-RPC in the raw: subscriptions, statuses, batches, reads, and every kind of nonsense at the border."""

import json
import socket
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from chain_host.hashing import blake2_256, storage_prefix
from chain_host.rpc.server import MAX_BATCH, MAX_MESSAGE
from tests.chain_host.conftest import AIN
from tests.chain_host.processes import Client, Refused, dial
from tests.chain_host.signing import mortal, remark, signer, transfer

pytestmark = pytest.mark.real
NOW = "0x" + storage_prefix("Timestamp", "Now").hex()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def watch(client: Client, raw: bytes) -> list:
    """All statuses of an extrinsic up to the last."""
    subscription = client.call("author_submitAndWatchExtrinsic", hexed(raw))
    statuses = []
    while True:
        note = client.note()
        if note["params"]["subscription"] != subscription:
            continue
        statuses.append(note["params"]["result"])
        last = statuses[-1]
        if last in ("invalid", "dropped") or (isinstance(last, dict) and {"finalized", "usurped"} & last.keys()):
            return statuses


def test_a_watched_extrinsic_is_ready_then_in_a_block_then_final(client, signing):
    raw = signing.sign(signer(0), client.call("system_accountNextIndex", signer(0).ss58), remark(b""))

    first, second, third = watch(client, raw)

    assert first == "ready"
    assert second["inBlock"] == third["finalized"]
    assert hexed(raw) in client.call("chain_getBlock", second["inBlock"])["block"]["extrinsics"]


def test_an_early_nonce_waits_as_future_until_the_gap_closes(host, client, signing):
    nonce = client.call("system_accountNextIndex", signer(1).ss58)
    subscription = client.call("author_submitAndWatchExtrinsic", hexed(signing.sign(signer(1), nonce + 1, remark(b""))))
    assert client.note()["params"] == {"subscription": subscription, "result": "future"}

    client.call("author_submitExtrinsic", hexed(signing.sign(signer(1), nonce, remark(b""))))

    results = [client.note()["params"]["result"] for _ in range(3)]
    assert results[0] == "ready"
    assert "inBlock" in results[1]


def test_a_better_offer_usurps_what_still_waits(client, signing):
    nonce = client.call("system_accountNextIndex", signer(2).ss58) + 3
    client.call("author_submitAndWatchExtrinsic", hexed(signing.sign(signer(2), nonce, remark(b""))))
    better = signing.sign(signer(2), nonce, remark(b""), tip=AIN)

    client.call("author_submitExtrinsic", hexed(better))
    for missing in range(nonce - 3, nonce):
        client.call("author_submitExtrinsic", hexed(signing.sign(signer(2), missing, remark(b""))))

    results = [client.note()["params"]["result"] for _ in range(2)]
    assert results[0] == "future"
    assert results[1] in ("dropped", "ready", {"usurped": hexed(blake2_256(better))})


def test_an_era_that_is_over_is_refused(client, signing):
    head = client.call("chain_getHeader")
    number = int(head["number"], 16)
    birth = bytes.fromhex(client.call("chain_getBlockHash", number)[2:])
    raw = signing.sign(signer(3), 0, remark(b""), era=(mortal(4, number), birth))
    for nonce in range(8):
        watch(client, signing.sign(signer(4), client.call("system_accountNextIndex", signer(4).ss58), remark(b"")))
        assert nonce < 8

    with pytest.raises(Refused, match=r"ancient birth block|bad signature"):
        client.call("author_submitExtrinsic", hexed(raw))


def test_extrinsics_that_arrive_together_share_a_block(client, signing):
    nonces = {i: client.call("system_accountNextIndex", signer(i).ss58) for i in range(5, 13)}
    before = int(client.call("chain_getHeader")["number"], 16)
    batch = [
        {
            "jsonrpc": "2.0",
            "id": i,
            "method": "author_submitExtrinsic",
            "params": [hexed(signing.sign(signer(i), nonce, transfer(signer(100).public, AIN)))],
        }
        for i, nonce in nonces.items()
    ]

    answers = client.raw(json.dumps(batch))

    assert [answer["id"] for answer in answers] == list(nonces)
    assert all("result" in answer for answer in answers)
    wait_for(lambda: not client.call("author_pendingExtrinsics"))
    assert int(client.call("chain_getHeader")["number"], 16) - before <= 4


def wait_for(condition, seconds: float = 10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_heartbeat_block_comes_every_slot_and_keeps_the_clock(client):
    client.call("chain_subscribeNewHeads")
    client.note()
    first, second = (int(client.note()["params"]["result"]["number"], 16) for _ in range(2))

    now = int.from_bytes(bytes.fromhex(client.call("state_getStorage", NOW)[2:]), "little")
    assert second == first + 1
    assert abs(time.time() * 1000 - now) < 2_000


def test_seven_connections_follow_twenty_blocks_a_second(host, signing):
    clients = [Client(host.url) for _ in range(7)]
    for each in clients:
        each.call("chain_subscribeNewHeads")
    nonce = clients[0].call("system_accountNextIndex", signer(20).ss58)
    for step in range(10):
        watch_client = clients[0]
        watch_client.call("author_submitExtrinsic", hexed(signing.sign(signer(20), nonce + step, remark(b""))))
        wait_for(lambda: not clients[0].call("author_pendingExtrinsics"))
    head = int(clients[0].call("chain_getHeader")["number"], 16)

    for each in clients:
        numbers = []
        while not numbers or numbers[-1] < head:
            numbers.append(int(each.note()["params"]["result"]["number"], 16))
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        each.socket.close()


def test_reads_at_old_blocks_are_those_of_their_time(client, signing):
    hashes = []
    for _ in range(3):
        nonce = client.call("system_accountNextIndex", signer(21).ss58)
        hashes.append(watch(client, signing.sign(signer(21), nonce, remark(b"")))[1]["inBlock"])
    account = hexed(signer(21).public)

    nonces = [client.call("state_call", "AccountNonceApi_account_nonce", account, each) for each in hashes]
    stamps = [client.call("state_queryStorageAt", [NOW], each)[0]["changes"][0][1] for each in hashes]

    assert [int(each[2:4], 16) for each in nonces] == [1, 2, 3]
    assert stamps == [client.call("state_getStorage", NOW, each) for each in hashes]
    assert len(set(stamps)) == 3
    ranged = client.call("state_queryStorage", [NOW], hashes[0], hashes[2])
    assert [each["block"] for each in ranged] == hashes
    pages = [client.call("state_getKeysPaged", "0x", 5, None, each) for each in hashes]
    assert pages[0] == pages[1] == pages[2]
    assert client.call("state_getKeysPaged", "0x", 5, pages[0][2], hashes[0])[:2] == pages[0][3:]


def test_unknown_blocks_and_methods_have_their_own_errors(client):
    nowhere = "0x" + "77" * 32

    assert client.call("chain_getBlock", nowhere) is None
    assert client.call("chain_getBlockHash", 10**9) is None
    for method, params, code in (
        ("state_getStorage", [NOW, nowhere], 4003),
        ("state_call", ["Core_version", "0x", nowhere], 4003),
        ("state_call", ["Core_nonsense", "0x"], 4003),
        ("state_call", ["Core_execute_block", "0x"], 4003),
        ("system_nonsense", [], -32601),
        ("state_getStorage", ["nonsense"], -32602),
        ("state_getKeysPaged", ["0x", 10**6], -32602),
        ("system_accountNextIndex", ["5Grw"], -32602),
        ("author_submitExtrinsic", ["0x"], 1001),
        ("author_submitExtrinsic", ["0x0408"], 1002),
    ):
        with pytest.raises(Refused) as refused:
            client.call(method, *params)
        assert refused.value.code == code, (method, params, str(refused.value))


def test_every_listed_method_answers_something_to_no_parameters(client):
    for method in client.call("rpc_methods")["methods"]:
        if "ubscribe" in method:
            continue
        answer = client.raw(json.dumps({"id": 1, "method": method}))
        assert "error" not in answer or answer["error"]["code"] in (-32602, 1), (method, answer)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", -32700),
        ("nonsense", -32700),
        ("\x00", -32700),
        ("[" * 100_000, -32700),
        ('{"a":' * 50_000, -32700),
        ("[]", -32600),
        ("null", -32600),
        ("7", -32600),
        ('{"jsonrpc":"2.0","id":1}', -32600),
        ('{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        ('{"jsonrpc":"2.0","id":{},"method":"rpc_methods"}', -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"rpc_methods","params":{}}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"rpc_methods","params":[1,2,3,4,5,6,7,8,9]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[1e999]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[' + "9" * 5000 + "]}", -32700),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[-1]}', -32602),
        ("[" + ",".join(["1"] * (MAX_BATCH + 1)) + "]", -32010),
    ],
)
def test_malformed_requests_get_an_error_and_the_connection_stays(client, frame, code):
    assert client.raw(frame)["error"]["code"] == code
    assert client.call("system_name") == "ainur-chain-host"


def test_broken_utf8_and_binary_frames_do_no_harm(host):
    with Client(host.url) as client:
        assert client.raw(b"\xff\xfe")["error"]["code"] == -32700
        assert client.raw(b'{"id":1,"method":"system_name"}')["result"] == "ainur-chain-host"


def test_a_huge_frame_costs_only_its_connection(host, client):
    with Client(host.url) as other, pytest.raises(ConnectionClosed):
        other.raw("x" * (MAX_MESSAGE + 1))
    assert client.call("system_name") == "ainur-chain-host"


def test_notifications_and_mixed_batches_follow_the_standard(client):
    batch = [
        {"jsonrpc": "2.0", "method": "system_name"},
        {"jsonrpc": "2.0", "id": "x", "method": "system_name"},
        3,
        {"jsonrpc": "2.0", "id": None, "method": "chain_subscribeNewHeads"},
    ]

    named, broken, subscribed = client.raw(json.dumps(batch))

    assert (named["id"], named["result"]) == ("x", "ainur-chain-host")
    assert broken["error"]["code"] == -32600
    assert subscribed["error"]["code"] == -32600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("0x") | st.just(NOW),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
METHODS = st.sampled_from(
    [
        "author_submitExtrinsic",
        "author_submitAndWatchExtrinsic",
        "author_unwatchExtrinsic",
        "chain_getBlock",
        "chain_getBlockHash",
        "chain_getHeader",
        "chain_unsubscribeNewHeads",
        "payment_queryInfo",
        "payment_queryFeeDetails",
        "state_call",
        "state_getKeysPaged",
        "state_getMetadata",
        "state_getStorage",
        "state_queryStorage",
        "state_queryStorageAt",
        "state_subscribeStorage",
        "system_accountNextIndex",
        "system_dryRun",
    ]
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(method=METHODS, params=st.lists(JSON, max_size=4))
def test_wrong_types_get_an_error_and_nothing_else(client, method, params):
    frame = json.dumps({"id": "it", "method": method, "params": params})
    answer = client.raw(frame)
    while "id" not in answer:  # a notification of an earlier example's subscription
        answer = json.loads(client.socket.recv(timeout=20))

    assert answer["id"] == "it"
    assert "error" not in answer or answer["error"]["code"] in (-32602, 1001, 1002, 1010, 1012, 4003), answer


@FUZZ
@given(frame=st.binary(max_size=200) | st.text(max_size=100) | JSON.map(json.dumps))
def test_random_frames_get_an_error_or_nothing(client, frame):
    client.socket.send(frame)

    client.socket.send('{"jsonrpc":"2.0","id":"after","method":"system_name"}')
    while True:
        answer = json.loads(client.socket.recv(timeout=10))
        if isinstance(answer, dict) and answer.get("id") == "after":
            break
        assert isinstance(answer, list) or "error" in answer


def test_raw_garbage_on_the_port_does_no_harm(host, client):
    port = int(host.url.rsplit(":", 1)[1])
    for data in (b"\0" * 1000, b"GET / HTTP/1.1\r\n\r\n", b"GET " + b"a" * 100_000, b"\x16\x03\x01" * 50):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(data)
    assert client.call("system_name") == "ainur-chain-host"


def test_pages_of_other_sites_are_refused(host):
    with pytest.raises(InvalidStatus), connect(host.url, origin="https://example.org"):
        pass
    with connect(host.url, origin="http://localhost:3000") as allowed:
        allowed.send('{"id":1,"method":"system_name"}')
        assert "ainur" in str(allowed.recv(timeout=10))


def test_connections_are_bounded(host):
    opened = []
    try:
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            for _ in range(200):
                opened.append(dial(host.url))
    finally:
        for each in opened:
            each.close()
    assert 100 < len(opened) <= 128

    def admitted() -> bool:
        try:
            with Client(host.url) as client:
                return client.call("system_name") is not None
        except (InvalidStatus, ConnectionClosed):
            return False

    wait_for(admitted)


def test_subscriptions_of_a_connection_are_bounded(host):
    with Client(host.url) as client, pytest.raises(Refused) as refused:
        for _ in range(1_100):
            client.call("state_subscribeRuntimeVersion")
    assert refused.value.code == -32006


def test_a_client_that_never_reads_is_cut_off_and_others_go_on(host, client):
    lazy = dial(host.url)
    request = json.dumps([{"id": i, "method": "state_getMetadata"} for i in range(200)])
    stopped = threading.Event()

    def flood() -> None:
        try:
            for _ in range(40):
                lazy.send(request)
        except (ConnectionClosed, OSError):
            pass
        stopped.set()

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    for _ in range(20):
        started = time.monotonic()
        assert client.call("system_name") == "ainur-chain-host"
        assert time.monotonic() - started < 5
    lazy.socket.shutdown(socket.SHUT_RDWR)
    lazy.socket.close()
    assert stopped.wait(30)
    thread.join(timeout=30)
    assert client.call("system_name") == "ainur-chain-host"
