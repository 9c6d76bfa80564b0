"""Inspects a core module before any engine sees it: what it asks for, and whether it is cheap to compile."""

from collections.abc import Callable

from wasm_runtime.abi import agent1
from wasm_runtime.binary import Cursor
from wasm_runtime.limits import ModuleLimits
from wasm_runtime.result import Finding, Findings, Import, ModuleMalformed

HEADER = b"\0asm\x01\0\0\0"
COMPONENT_HEADER = b"\0asm\x0d\0\x01\0"
FINDINGS_SHOWN = 32
"""More findings help nobody, and a module with a million forbidden imports must not make a million sentences."""

_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _START, _ELEMENT, _CODE, _DATA, _COUNT = range(
    13
)
_ORDER = (_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _START, _ELEMENT, _COUNT, _CODE, _DATA)
_NUMBER_TYPES = frozenset((0x7F, 0x7E, 0x7D, 0x7C, 0x7B))
_REFERENCE_TYPES = frozenset((0x70, 0x6F))
_VALUE_TYPES = _NUMBER_TYPES | _REFERENCE_TYPES
_FUNC_KIND, _MEMORY_KIND = 0, 2

Signature = tuple[tuple[int, ...], tuple[int, ...]]


def inspect_module(wasm: bytes, limits: ModuleLimits | None = None) -> Findings:
    """Parses `wasm`; an empty list of findings means that it may be given to the compiler.

    Raises ModuleMalformed when the bytes do not follow the format as far as this parser reads it, and nothing else.
    Function bodies are not decoded: the validator in the compiling child does that.
    """
    return _Inspection(wasm, limits or ModuleLimits()).run()


class _Inspection:
    def __init__(self, wasm: bytes, limits: ModuleLimits) -> None:
        self.wasm = wasm
        self.limits = limits
        self.findings: list[Finding] = []
        self.types: list[Signature | None] = []
        self.imports: list[Import] = []
        self.function_types: list[int] = []
        self.exports: dict[str, tuple[int, int]] = {}
        self.memory_pages: list[int] = []
        self.tables = 0
        self.bodies = 0

    def find(self, code: str, detail: str) -> None:
        if len(self.findings) < FINDINGS_SHOWN:
            self.findings.append(Finding(code, detail))

    def bound(self, code: str, what: str, seen: int, most: int) -> bool:
        """Whether `seen` is within `most`; otherwise a finding is noted."""
        if seen > most:
            self.find(code, f"{seen} {what}, at most {most} are accepted")
            return False
        return True

    def run(self) -> Findings:
        if not self.bound("size", "bytes", len(self.wasm), self.limits.size):
            return self.report()
        if self.wasm[:8] == COMPONENT_HEADER:
            self.find("component", "components are not accepted yet; build a core module for WASI preview 1")
            return self.report()
        if self.wasm[:8] != HEADER:
            raise ModuleMalformed("no WebAssembly 1 header", 0)
        self.read_sections()
        if self.bodies != len(self.function_types) - len(self.imports) and not self.findings:
            raise ModuleMalformed("functions and bodies differ in number", len(self.wasm))
        self.check_entry()
        return self.report()

    def report(self) -> Findings:
        return Findings(
            findings=tuple(self.findings),
            imports=tuple(self.imports),
            exports=tuple(self.exports),
            functions=len(self.function_types),
            memory_pages=sum(self.memory_pages),
            size=len(self.wasm),
        )

    def read_sections(self) -> None:
        readers: dict[int, Callable[[Cursor], None]] = {
            _TYPE: self.read_types,
            _IMPORT: self.read_imports,
            _FUNCTION: self.read_functions,
            _TABLE: self.read_tables,
            _MEMORY: self.read_memories,
            _GLOBAL: self.read_globals,
            _EXPORT: self.read_exports,
            _START: self.read_start,
            _ELEMENT: self.read_elements,
            _CODE: self.read_code,
            _DATA: self.read_data,
        }
        cursor = Cursor(self.wasm, len(HEADER), len(self.wasm))
        place = -1
        custom = 0
        while cursor.left:
            at = cursor.at
            number = cursor.byte()
            section = cursor.part()
            if number == _CUSTOM:
                custom += 1
                if not self.bound("custom-sections", "custom sections", custom, self.limits.custom_sections):
                    return
                section.name(self.limits.name_bytes)
                continue
            if number not in _ORDER:
                self.find("section", f"section {number} belongs to a proposal that is switched off")
                return
            if _ORDER.index(number) <= place:
                raise ModuleMalformed(f"section {number} is out of order", at)
            place = _ORDER.index(number)
            if number in readers:
                readers[number](section)

    def read_types(self, section: Cursor) -> None:
        count = section.count(3)
        if not self.bound("types", "types", count, self.limits.types):
            return
        for _ in range(count):
            form = section.byte()
            if form != 0x60:
                self.find("type-form", f"type form 0x{form:02x} belongs to a proposal that is switched off")
                return
            self.types.append((self.value_types(section), self.value_types(section)))
        section.finish("the type section")

    def value_types(self, section: Cursor) -> tuple[int, ...]:
        count = section.count()
        if not self.bound("parameters", "parameters or results of one type", count, self.limits.parameters):
            # A million of them would be looked at in one step, and no other thread runs meanwhile.
            section.skip(count)
            return ()
        found = self.wasm[section.at : section.at + count]
        section.skip(count)
        if not _VALUE_TYPES.issuperset(found):
            self.find("value-type", "a value type belongs to a proposal that is switched off")
        return tuple(found)

    def read_imports(self, section: Cursor) -> None:
        count = section.count(4)
        if not self.bound("imports", "imports", count, self.limits.imports):
            return
        for _ in range(count):
            wanted = Import(section.name(self.limits.name_bytes), section.name(self.limits.name_bytes))
            kind = section.byte()
            if kind != _FUNC_KIND:
                self.find("import-kind", f"{wanted.module}.{wanted.name}: only functions can be imported")
                return
            index = section.u32()
            self.imports.append(wanted)
            self.function_types.append(index)
            self.check_import(wanted, index)
        section.finish("the import section")

    def check_import(self, wanted: Import, index: int) -> None:
        allowed = agent1.ALLOWED_IMPORTS.get((wanted.module, wanted.name))
        if allowed is None:
            self.find("import", f"{wanted.module}.{wanted.name} is not on the list of allowed imports")
        elif index >= len(self.types):
            raise ModuleMalformed(f"type {index} does not exist", 0)
        elif self.types[index] != allowed:
            self.find("import-type", f"{wanted.module}.{wanted.name} is imported with another type than it has")

    def read_functions(self, section: Cursor) -> None:
        count = section.count()
        if not self.bound("functions", "functions", count, self.limits.functions):
            return
        for _ in range(count):
            self.function_types.append(section.u32())
        section.finish("the function section")

    def read_tables(self, section: Cursor) -> None:
        count = section.count(3)
        if not self.bound("tables", "tables", count, self.limits.tables):
            return
        for _ in range(count):
            if section.byte() not in _REFERENCE_TYPES:
                self.find("table-type", "a table type belongs to a proposal that is switched off")
                return
            self.tables += self.size_limits(section, "table")
        self.bound("table-elements", "table elements", self.tables, self.limits.table_elements)
        section.finish("the table section")

    def read_memories(self, section: Cursor) -> None:
        count = section.count(2)
        if not self.bound("memories", "memories", count, 1):
            return
        for _ in range(count):
            self.memory_pages.append(self.size_limits(section, "memory"))
        self.bound("memory", "pages of initial memory", sum(self.memory_pages), self.limits.memory_pages)
        section.finish("the memory section")

    def size_limits(self, section: Cursor, what: str) -> int:
        flags = section.byte()
        if flags > 1:
            self.find(f"{what}-kind", f"a shared, 64-bit or odd-paged {what} is not accepted")
        smallest = section.u32() if flags <= 1 else 0
        if flags == 1:
            section.u32()
        if flags > 1:
            section.at = section.end
        return smallest

    def read_globals(self, section: Cursor) -> None:
        # Initialisers are expressions; the number is bounded here and the validator reads the rest.
        self.bound("globals", "globals", section.count(4), self.limits.globals)

    def read_exports(self, section: Cursor) -> None:
        count = section.count(3)
        if not self.bound("exports", "exports", count, self.limits.exports):
            return
        for _ in range(count):
            name = section.name(self.limits.name_bytes)
            if name in self.exports:
                raise ModuleMalformed("two exports have one name", section.at)
            self.exports[name] = section.byte(), section.u32()
        section.finish("the export section")

    def read_start(self, section: Cursor) -> None:
        section.u32()
        self.find("start", "a start function would run before the agent is asked to; export _start instead")

    def read_elements(self, section: Cursor) -> None:
        count = section.count(3)
        self.bound("element-segments", "element segments", count, self.limits.element_segments)
        # Each element takes a byte or more, so the size of the section bounds their number.
        self.bound("elements", "bytes of element segments", section.left, self.limits.elements * 5)

    def read_code(self, section: Cursor) -> None:
        count = section.count(3)
        if not self.bound("functions", "function bodies", count, self.limits.functions):
            return
        self.bodies = count
        for number in range(count):
            body = section.part()
            if body.left > self.limits.body:
                self.find("body", f"function {number} has {body.left} bytes, at most {self.limits.body}")
                return
            if not self.check_locals(body, number):
                return
        section.finish("the code section")

    def check_locals(self, body: Cursor, number: int) -> bool:
        total = 0
        for _ in range(body.count(2)):
            total += body.u32()
            if body.byte() not in _VALUE_TYPES:
                self.find("value-type", f"function {number} has a local of a type that is switched off")
                return False
        if not self.bound("locals", f"locals in function {number}", total, self.limits.locals):
            return False
        # Compile time grows with locals x blocks. Every block, loop and if begins with one of these bytes; numbers
        # may look the same, so this counts too many, never too few.
        data = self.wasm
        blocks = sum(data.count(opcode, body.at, body.end) for opcode in (b"\x02", b"\x03", b"\x04"))
        return self.bound(
            "blocks", f"locals x blocks in function {number}", total * blocks, self.limits.locals_times_blocks
        )

    def read_data(self, section: Cursor) -> None:
        count = section.count(2)
        self.bound("data-segments", "data segments", count, self.limits.data_segments)

    def check_entry(self) -> None:
        if self.findings:
            return
        kind, index = self.exports.get(agent1.ENTRY, (-1, 0))
        if kind != _FUNC_KIND:
            self.find("no-entry", f"no function {agent1.ENTRY} is exported")
        elif index >= len(self.function_types) or self.function_types[index] >= len(self.types):
            raise ModuleMalformed(f"{agent1.ENTRY} does not exist", len(self.wasm))
        elif self.types[self.function_types[index]] != ((), ()):
            self.find("entry-type", f"{agent1.ENTRY} must take and return nothing")
        kind, index = self.exports.get(agent1.MEMORY, (-1, 0))
        if kind != _MEMORY_KIND or index >= len(self.memory_pages):
            self.find("no-memory", f"no memory named {agent1.MEMORY} is exported")
