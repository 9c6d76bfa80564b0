"""The functions of WASI preview 1 that an agent may import, by exact name and type."""

I32, I64 = 0x7F, 0x7E
Signature = tuple[tuple[int, ...], tuple[int, ...]]

MODULE = "wasi_snapshot_preview1"

# i = i32, l = i64; the answer is an errno, except for proc_exit. Sockets, threads and signals are not here.
_PARAMETERS = {
    "args_get": "ii",
    "args_sizes_get": "ii",
    "clock_res_get": "ii",
    "clock_time_get": "ili",
    "environ_get": "ii",
    "environ_sizes_get": "ii",
    "fd_advise": "illi",
    "fd_allocate": "ill",
    "fd_close": "i",
    "fd_datasync": "i",
    "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii",
    "fd_fdstat_set_rights": "ill",
    "fd_filestat_get": "ii",
    "fd_filestat_set_size": "il",
    "fd_filestat_set_times": "illi",
    "fd_pread": "iiili",
    "fd_prestat_dir_name": "iii",
    "fd_prestat_get": "ii",
    "fd_pwrite": "iiili",
    "fd_read": "iiii",
    "fd_readdir": "iiili",
    "fd_renumber": "ii",
    "fd_seek": "ilii",
    "fd_sync": "i",
    "fd_tell": "ii",
    "fd_write": "iiii",
    "path_create_directory": "iii",
    "path_filestat_get": "iiiii",
    "path_filestat_set_times": "iiiilli",
    "path_link": "iiiiiii",
    "path_open": "iiiiillii",
    "path_readlink": "iiiiii",
    "path_remove_directory": "iii",
    "path_rename": "iiiiii",
    "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "poll_oneoff": "iiii",
    "proc_exit": "i",
    "random_get": "ii",
    "sched_yield": "",
}


def _signature(name: str, letters: str) -> Signature:
    params = tuple(I32 if letter == "i" else I64 for letter in letters)
    return params, (() if name == "proc_exit" else (I32,))


FUNCTIONS: dict[str, Signature] = {name: _signature(name, letters) for name, letters in _PARAMETERS.items()}
"""Name -> (parameter types, result types). Files are named so that usual toolchains link; none can be opened."""
