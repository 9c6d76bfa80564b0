"""wasmtime below its Python surface: host functions as raw callbacks, exports one at a time; both for speed."""

import ctypes
from collections.abc import Callable
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._extern import wrap_extern

HostFunction = Callable[..., int | None]
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64), ctypes.c_size_t
)
_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def make_callback(
    function: HostFunction, arguments: int, has_result: bool, failed: Callable[[BaseException], None]
) -> Any:
    """C callback of a host function of up to 3 arguments; any exception becomes a trap and goes to `failed`."""

    def trap(exc: BaseException) -> int | None:
        failed(exc)
        message = type(exc).__name__.encode()
        made = ffi.wasmtime_trap_new(ctypes.create_string_buffer(message), len(message))
        return ctypes.cast(made, ctypes.c_void_p).value

    # A raw value takes 16 bytes, so slots 0, 2 and 4 hold the arguments and slot 0 the result. The bodies
    # are written out by arity because a block makes a hundred thousand of these calls.
    def none(_env: Any, _caller: Any, slots: Any, _count: int) -> int | None:
        try:
            result = function()
            if has_result:
                slots[0] = result
        except BaseException as exc:  # noqa: BLE001  # reason: nothing may unwind through foreign frames
            return trap(exc)
        return None

    def one(_env: Any, _caller: Any, slots: Any, _count: int) -> int | None:
        try:
            result = function(slots[0])
            if has_result:
                slots[0] = result
        except BaseException as exc:  # noqa: BLE001  # reason: nothing may unwind through foreign frames
            return trap(exc)
        return None

    def two(_env: Any, _caller: Any, slots: Any, _count: int) -> int | None:
        try:
            result = function(slots[0], slots[2])
            if has_result:
                slots[0] = result
        except BaseException as exc:  # noqa: BLE001  # reason: nothing may unwind through foreign frames
            return trap(exc)
        return None

    def many(_env: Any, _caller: Any, slots: Any, _count: int) -> int | None:
        try:
            result = function(*[slots[2 * index] for index in range(arguments)])
            if has_result:
                slots[0] = result
        except BaseException as exc:  # noqa: BLE001  # reason: nothing may unwind through foreign frames
            return trap(exc)
        return None

    return _CALLBACK({0: none, 1: one, 2: two}.get(arguments, many))


def define(linker: Any, import_type: Any, callback: Any) -> None:
    """Make the callback the import's function; the caller keeps `callback` alive as long as the linker."""
    module, name = import_type.module.encode(), import_type.name.encode()
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        module,
        len(module),
        name,
        len(name),
        import_type.type.ptr(),
        ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),
        None,
        _FINALIZER(),
    )
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)


def export(store: Any, instance: Any, name: str) -> Any:
    """One export of an instance, None when there is none; asking for all of them costs more than a call."""
    item, raw = ffi.wasmtime_extern_t(), name.encode()
    found = ffi.wasmtime_instance_export_get(
        store._context(), ctypes.byref(instance._instance), raw, len(raw), ctypes.byref(item)
    )
    return wrap_extern(item) if found else None


_RawCall = ffi.wasmtime_val_raw_t * 2


def is_entry(store: Any, function: Any) -> bool:
    """Whether a function has the type of every runtime call: (i32, i32) to i64."""
    if not isinstance(function, wasmtime.Func):
        return False
    kind = function.type(store)
    return [str(each) for each in (*kind.params, *kind.results)] == ["i32", "i32", "i64"] and len(kind.params) == 2


def enter(store: Any, function: Any, address: int, length: int) -> int:
    """Call a function for which `is_entry` holds: without the checks that cost as much as a small extrinsic.

    Raises Trap or WasmtimeError.
    """
    slots, trap = _RawCall(), ctypes.POINTER(ffi.wasm_trap_t)()
    slots[0].i32, slots[1].i32 = address, length
    error = ffi.wasmtime_func_call_unchecked(
        store._context(), ctypes.byref(function._func), slots, 2, ctypes.byref(trap)
    )
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
    if trap:
        raise wasmtime.Trap._from_ptr(trap)
    return slots[0].i64
