"""Modules that the static parser refuses by a code, and bytes that are no module at all."""

from wasm_bytes import COMMAND, HEADER, START_AND_MEMORY, body, export, module, name, section, uleb, vector

WASI = "wasi_snapshot_preview1"


def imported(where: str, what: str, kind: bytes = b"\0\0") -> bytes:
    return name(where) + name(what) + kind


REFUSED = {
    "component": (b"\0asm\x0d\0\x01\0" + bytes(100), "component"),
    "too large": (HEADER + bytes(9 << 20), "size"),
    "unknown import": (module(imports=[imported("env", "system")]), "import"),
    "name of another module": (module(imports=[imported("env", "fd_write")]), "import"),
    "sockets": (module(imports=[imported(WASI, "sock_send")]), "import"),
    "near miss": (module(imports=[imported(WASI, "fd_write\0")]), "import"),
    "wrong type": (module(imports=[imported(WASI, "fd_write")]), "import-type"),
    "imported memory": (module(imports=[imported("env", "memory", b"\x02\0\x01")]), "import-kind"),
    "imported global": (module(imports=[imported("env", "g", b"\x03\x7f\0")]), "import-kind"),
    "many imports": (module(imports=[imported(WASI, "sched_yield")] * 65), "imports"),
    "export flood": (module(exports=[export(f"e{n}") for n in range(100_000)]), "exports"),
    "65 exports": (module(exports=[*START_AND_MEMORY, *(export(f"e{n}") for n in range(63))]), "exports"),
    "start function": (module(start=0), "start"),
    "two memories": (module(memories=[b"\0\x01", b"\0\x01"]), "memories"),
    "4 GiB of memory": (module(memories=[b"\0" + uleb(65536)]), "memory"),
    "shared memory": (module(memories=[b"\x03\x01\x01"]), "memory-kind"),
    "64-bit memory": (module(memories=[b"\x04\x01"]), "memory-kind"),
    "odd pages": (module(memories=[b"\x08\x01\x00"]), "memory-kind"),
    "large table": (module(tables=[b"\x70\0" + uleb(10_001)]), "table-elements"),
    "tables that add up": (module(tables=[b"\x70\0" + uleb(5_001)] * 2), "table-elements"),
    "five tables": (module(tables=[b"\x70\0\x01"] * 5), "tables"),
    "table of a proposal": (module(tables=[b"\x64\0\x01"]), "table-type"),
    "many functions": (module(functions=50_001), "functions"),
    "many types": (module(types=[COMMAND] * 10_001), "types"),
    "struct type": (module(types=[COMMAND, b"\x5f\0\0"]), "type-form"),
    "type of a proposal": (module(types=[b"\x60\x01\x6b\0"]), "value-type"),
    "many parameters": (module(types=[COMMAND, b"\x60" + uleb(1_001) + b"\x7f" * 1_001 + b"\0"]), "parameters"),
    "many results": (module(types=[COMMAND, b"\x60\0" + uleb(1_001) + b"\x7f" * 1_001]), "parameters"),
    "many globals": (module(globals_=[b"\x7f\0\x41\0\x0b"] * 10_001), "globals"),
    "long body": (module(bodies=[body(b"\x01" * 200_000)]), "body"),
    "many locals": (module(bodies=[body(locals_=[(49_000, 0x7F)])]), "locals"),
    "locals in many groups": (module(bodies=[body(locals_=[(100, 0x7F)] * 100)]), "locals"),
    "4 billion locals": (module(bodies=[body(locals_=[((1 << 32) - 1, 0x7F)] * 3)]), "locals"),
    "local of a proposal": (module(bodies=[body(locals_=[(1, 0x6B)])]), "value-type"),
    "loops x locals": (module(bodies=[body(b"\x03\x40" * 20_000 + b"\x0b" * 20_000, [(1_000, 0x7F)])]), "blocks"),
    "many data segments": (module(data=[b"\x01\0"] * 10_001), "data-segments"),
    "many element segments": (module(elements=[b"\x01\0\0"] * 10_001), "element-segments"),
    "tag section": (HEADER + section(13, b"\x00"), "section"),
    "many custom sections": (HEADER + section(0, name("x")) * 300, "custom-sections"),
    "no entry": (module(exports=[export("memory", 2)]), "no-entry"),
    "entry is a memory": (module(exports=[export("_start", 2), export("memory", 2)]), "no-entry"),
    "entry with a parameter": (module(types=[b"\x60\x01\x7f\0"]), "entry-type"),
    "no memory": (module(exports=[export("_start")], memories=[]), "no-memory"),
    "nothing": (HEADER, "no-entry"),
}

MALFORMED = {
    "empty": b"",
    "text": b"(module)",
    "another version": b"\0asm\x02\0\0\0",
    "cut section": HEADER + b"\x01\x7f",
    "endless number": HEADER + b"\x01\xff\xff\xff\xff\xff\xff",
    "number over 32 bits": HEADER + b"\x01\xff\xff\xff\xff\x7f",
    "wrong order": HEADER + section(3, vector([])) + section(1, vector([])),
    "section twice": HEADER + section(1, vector([])) * 2,
    "vector longer than the file": HEADER + section(1, uleb(1 << 31)),
    "bytes left over": HEADER + section(1, vector([COMMAND]) + b"\0"),
    "name not UTF-8": HEADER + section(0, b"\x01\xff"),
    "endless name": HEADER + section(0, uleb(1 << 30) + bytes(10)),
    "exports of one name": module(exports=[*START_AND_MEMORY, export("memory", 2)]),
    "more bodies than functions": module(bodies=[body(), body()]),
    "entry that does not exist": module(exports=[export("_start", 0, 9), export("memory", 2)]),
    "import of a type that does not exist": module(imports=[imported(WASI, "fd_write", b"\0\x09")]),
    "4 billion tiny bodies": HEADER + section(10, uleb((1 << 32) - 1) + b"\x02\0\x0b"),
}
