"""One version of the runtime as a client sees it: calls, events, errors, storage keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import xxhash

from pallets_client import scale
from pallets_client.codec import Codec
from pallets_client.errors import CallMalformed, ChainMisbehaviour
from pallets_client.metadata import Metadata, Pallet, Storage, parse
from pallets_client.pallets.shape import Variant
from pallets_client.records import Call, Event
from pallets_client.scale import Decoder, Encoder

MAX_EVENTS = 100_000  # per block; ours hold at most a few hundred


def _twox(data: bytes, words: int) -> bytes:
    return b"".join(int(xxhash.xxh64(data, seed=seed).intdigest()).to_bytes(8, "little") for seed in range(words))


def _hashed(hasher: str, key: bytes) -> bytes:
    match hasher:
        case "Blake2_128Concat":
            return hashlib.blake2b(key, digest_size=16).digest() + key
        case "Twox64Concat":
            return _twox(key, 1) + key
        case "Identity":
            return key
        case "Blake2_128":
            return hashlib.blake2b(key, digest_size=16).digest()
        case "Blake2_256":
            return hashlib.blake2b(key, digest_size=32).digest()
        case _:
            return _twox(key, 2 if hasher == "Twox128" else 4)


_PREFIX_OF_KEY = {"Blake2_128Concat": 16, "Twox64Concat": 8, "Identity": 0}


@dataclass(frozen=True, slots=True)
class Item:
    """A storage item ready for use: its key prefix, hashers, and how its keys and values are coded."""

    where: str
    prefix: bytes
    hashers: tuple[str, ...]
    key_types: tuple[int, ...]
    storage: Storage
    codec: Codec

    def key(self, *parts: Any) -> bytes:
        """Storage key of an entry; no parts for a plain value."""
        if len(parts) != len(self.hashers):
            raise CallMalformed(f"{self.where} has {len(self.hashers)} keys, not {len(parts)}")
        pieces = [self.prefix]
        for hasher, type_id, part in zip(self.hashers, self.key_types, parts, strict=True):
            pieces.append(_hashed(hasher, self.codec.encode(type_id, part)))
        return b"".join(pieces)

    def below(self, *parts: Any) -> Item:
        """The part of a map under its first keys, as an item of the remaining ones: what a page lists."""
        pieces = [self.prefix]
        for hasher, type_id, part in zip(self.hashers, self.key_types, parts, strict=False):
            pieces.append(_hashed(hasher, self.codec.encode(type_id, part)))
        rest = len(parts)
        prefix = b"".join(pieces)
        return replace(self, prefix=prefix, hashers=self.hashers[rest:], key_types=self.key_types[rest:])

    def value(self, raw: bytes | None) -> Any:
        """The decoded value; None, or the metadata's default, where nothing is stored."""
        if raw is None:
            if self.storage.optional:
                return None
            raw = self.storage.default
        return self.codec.decode(self.storage.value, raw)

    def keys_of(self, full: bytes) -> tuple[Any, ...]:
        """The map keys inside a full storage key; needs hashers that keep their input."""
        at = len(self.prefix)
        parts = []
        for hasher, type_id in zip(self.hashers, self.key_types, strict=True):
            skip = _PREFIX_OF_KEY.get(hasher)
            if skip is None or not full.startswith(self.prefix):
                raise ChainMisbehaviour(f"{self.where}: a key that cannot be read back")
            value, at = self.codec.decoder(type_id)(full, at + skip)
            parts.append(value)
        if at != len(full):
            raise ChainMisbehaviour(f"{self.where}: a storage key of {len(full)} bytes")
        return tuple(parts)


class Runtime:
    """Codec of calls, events, errors and storage of one spec version."""

    def __init__(self, metadata: bytes, spec_version: int, transaction_version: int) -> None:
        self.spec_version = spec_version
        self.transaction_version = transaction_version
        self.metadata: Metadata = parse(metadata)
        self.codec = Codec(self.metadata.types)
        self._pallets = {pallet.name: pallet for pallet in self.metadata.pallets}
        self._calls: dict[tuple[str, str], tuple[bytes, tuple[str, ...], Encoder]] = {}
        self._errors: dict[int, tuple[str, dict[int, tuple[str, str]]]] = {}
        self._items: dict[tuple[str, str], Item] = {}
        self._events: dict[int, tuple[str, dict[int, tuple[str, list[tuple[str, Decoder]]]]]] = {}
        for pallet in self.metadata.pallets:
            self._learn(pallet)
        for type_id, found in enumerate(self.metadata.types):
            if found.shape == "variant" and found.path[-1:] == ("RuntimeCall",):
                self.codec.call_encoders[type_id] = self.encode_call
        hash_vector = self.item("System", "Events").storage.value
        self._topics = self._topics_decoder(hash_vector)

    def _learn(self, pallet: Pallet) -> None:
        if pallet.calls is not None:
            for case in self.codec.type(pallet.calls).cases:
                names = tuple(str(field.name) for field in case.fields)
                # The encoder is made at first use: the codec must know the call types before.
                self._calls[pallet.name, case.name] = (
                    bytes([pallet.index, case.index]),
                    names,
                    self._lazy_fields(pallet.calls, case.name),
                )
        if pallet.errors is not None:
            cases = self.codec.type(pallet.errors).cases
            table = {case.index: (case.name, case.docs) for case in cases}
            self._errors[pallet.index] = (pallet.name, table)
        if pallet.events is not None:
            events = {}
            for case in self.codec.type(pallet.events).cases:
                fields = [
                    (field.name or str(number), self.codec.decoder(field.type))
                    for number, field in enumerate(case.fields)
                ]
                events[case.index] = (case.name, fields)
            self._events[pallet.index] = (pallet.name, events)

    def _lazy_fields(self, calls: int, name: str) -> Encoder:
        made: list[Encoder] = []

        def encode(value: Any) -> bytes:
            if not made:
                case = next(case for case in self.codec.type(calls).cases if case.name == name)
                encoders = [self.codec.encoder(field.type) for field in case.fields]
                made.append(scale.struct_encoder([str(field.name) for field in case.fields], encoders))
            return made[0](value)

        return encode

    # calls ---------------------------------------------------------------------------------------------

    def encode_call(self, call: Call) -> bytes:
        """Bytes of a call; raises CallMalformed when this runtime has no such call or other arguments."""
        found = self._calls.get((call.pallet, call.name))
        if found is None:
            raise CallMalformed(f"the runtime has no call {call.pallet}.{call.name}")
        prefix, names, encode = found
        try:
            return prefix + encode(call.args)
        except (TypeError, OverflowError, AttributeError, KeyError, RecursionError) as exc:
            raise CallMalformed(f"{call.pallet}.{call.name}({', '.join(names)}): {exc}") from exc

    # storage -------------------------------------------------------------------------------------------

    def item(self, pallet: str, name: str) -> Item:
        """A storage item; raises ChainMisbehaviour when this runtime has none of that name."""
        found = self._items.get((pallet, name))
        if found is None:
            home = self._pallets.get(pallet)
            if home is None or name not in home.storage:
                raise ChainMisbehaviour(f"the runtime has no storage item {pallet}.{name}")
            storage = home.storage[name]
            prefix = _twox(home.prefix.encode(), 2) + _twox(name.encode(), 2)
            found = Item(f"{pallet}.{name}", prefix, storage.hashers, self._key_types(storage), storage, self.codec)
            self._items[pallet, name] = found
        return found

    def _key_types(self, storage: Storage) -> tuple[int, ...]:
        if storage.key is None:
            return ()
        if len(storage.hashers) == 1:
            return (storage.key,)
        items = self.codec.type(storage.key).items
        if len(items) != len(storage.hashers):
            raise ChainMisbehaviour(f"storage item {storage.name} has a hasher too many or too few")
        return items

    def constant(self, pallet: str, name: str) -> Any:
        """A pallet's constant."""
        home = self._pallets.get(pallet)
        if home is None or name not in home.constants:
            raise ChainMisbehaviour(f"the runtime has no constant {pallet}.{name}")
        type_id, raw = home.constants[name]
        return self.codec.decode(type_id, raw)

    def pallet_index(self, pallet: str) -> int | None:
        """The index of a pallet, None when the runtime has none of that name."""
        found = self._pallets.get(pallet)
        return None if found is None else found.index

    # events and errors ---------------------------------------------------------------------------------

    def _topics_decoder(self, events: int) -> Decoder:
        entry = self.codec.type(self.codec.type(events).items[0])
        fields = {field.name: field.type for field in entry.fields}
        if list(fields) != ["phase", "event", "topics"]:
            raise ChainMisbehaviour("System.Events holds records of another shape")
        return self.codec.decoder(fields["topics"])

    def decode_events(self, raw: bytes | None) -> list[Event]:
        """The events of a block from the value of System.Events."""
        if raw is None:
            return []
        count, at = scale.decode_compact(raw, 0)
        if count > min(MAX_EVENTS, len(raw)):
            raise ChainMisbehaviour(f"a block announces {count} events")
        found = []
        try:
            for _ in range(count):
                event, at = self._event(raw, at)
                found.append(event)
        except (IndexError, KeyError) as exc:
            raise ChainMisbehaviour("an event that the metadata does not know") from exc
        except RecursionError as exc:
            raise ChainMisbehaviour("an event is nested too deeply") from exc
        if at != len(raw):
            raise ChainMisbehaviour("bytes left after the events of a block")
        return found

    def _event(self, raw: bytes, at: int) -> tuple[Event, int]:
        phase = raw[at]
        at += 1
        extrinsic: int | None = None
        if phase == 0:
            extrinsic = int.from_bytes(raw[at : at + 4], "little")
            at += 4
        elif phase > 2:
            raise ChainMisbehaviour(f"an event in phase {phase}")
        pallet, events = self._events[raw[at]]
        name, fields = events[raw[at + 1]]
        at += 2
        values: dict[str, Any] = {}
        for key, decode in fields:
            values[key], at = decode(raw, at)
        _, at = self._topics(raw, at)
        return Event(pallet, name, values, extrinsic), at

    def error(self, dispatch_error: object) -> tuple[str, str]:
        """("Pallet.Name", its documentation) of a DispatchError as decoded from an event."""
        if not isinstance(dispatch_error, Variant):
            raise ChainMisbehaviour("a DispatchError that is no enum")
        inner = dispatch_error.fields.get("0")
        if dispatch_error.name == "Module" and isinstance(inner, Mapping):
            pallet, table = self._errors.get(inner["index"], ("?", {}))
            name, docs = table.get(inner["error"][0], (f"Error{inner['error'].hex()}", ""))
            return f"{pallet}.{name}", docs
        if isinstance(inner, Variant):
            return f"{dispatch_error.name}.{inner.name}", ""
        return dispatch_error.name, ""
