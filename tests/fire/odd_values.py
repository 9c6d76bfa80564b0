"""What people and programs type by mistake or out of malice: values, and whole lines made of them."""

from command_table import Parameter, Row
from hypothesis import strategies as st

HUGE = "9" * 65
LONG = "A" * 100_000
ESCAPES = ("\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x9b31m", "a\nb", "a\r\nainur: paid", "\u202ekcab", "\x7f\b\b\b")
SHELL = ("$(touch owned)", "`touch owned`", "; touch owned", "| cat", "&& false", "*", "%s%n%s", "${HOME}", "'", '"')
PLACES = (
    ".",
    "..",
    "../../etc/passwd",
    "../" * 1500,
    "/dev",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/proc/1",
    "~nobody-here/x",
)
NUMBERS = ("0", "-0", "-1", "-0.1", "NaN", "nan", "inf", "-inf", "1e9", "1E400", "0x10", "1_000", "1,5", "+1", HUGE)
NUMBERS_TOO = ("0.0000000000001", "1.0000000000001", "1.", ".5", "١", "½", "9" * 5000, str(2**63), str(2**90), "1 2")
WORDS = (
    "",
    " ",
    "\0",
    "a\0b",
    "-",
    "--",
    "-x",
    "--json",
    "--help",
    "none",
    "null",
    "true",
    "{}",
    "[]",
    "é",
    "🦀",
    LONG,
)
BYTES = ("\udcff\udcfe", "a\udc80b", "\ud800")
"""What the argument line makes of bytes that are no UTF-8, and half a character."""
TIMES = ("0s", "-1s", "0.0001s", "30 s", "2d", "25h", "1h1m", "s", "99999999999h", "1e3s")
IDS = ("abc", "g" * 64, "a" * 63, "a" * 65, "0x", "0x" + "a" * 64, "A" * 64, "00000000")

FIXED = (*WORDS, *ESCAPES, *SHELL, *PLACES, *NUMBERS, *NUMBERS_TOO, *BYTES, *TIMES, *IDS)
UNKNOWN = ("--frobnicate", "--frobnicate=1", "-Z", "--no-json", "--budget-", "--Json", "—node", "--\x1b[2J")

_text = (
    st.text(max_size=40) | st.text("0123456789.-+eE_x ", max_size=30) | st.text("\x1b[];\x07\r\n\0/.~$`", max_size=20)
)
_numbers = st.integers().map(str) | st.floats().map(str) | st.decimals().map(str)
_raw = st.binary(max_size=30).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


def _nowhere_else(text: str) -> str:
    """What is made up names no file outside the working directory: some options write where they are told to."""
    return text.lstrip("/~").replace("..", ".")


values = st.sampled_from(FIXED) | (_text | _numbers | _raw).map(_nowhere_else)


def fixed_lines(row: Row, known: dict[str, str]) -> list[list[str]]:
    """Each odd value at each parameter of a command, each parameter left out, given twice and without its value."""
    lines = [row.line(known)]
    for parameter in row.parameters:
        lines += [_with(row, known, parameter, value) for value in FIXED if parameter.takes_value]
        lines += [row.line(known, **{parameter.name: None}), _twice(row, known, parameter)]
        if parameter.flag:
            lines += [[*row.line(known, **{parameter.name: None}), parameter.flag]]
            lines += [[parameter.flag, *row.line(known, **{parameter.name: None})]]
            lines += [
                row.line(known, **{parameter.name: [f"{parameter.flag}={value}"]}) for value in ("", "1", "\x1b[2J")
            ]
    lines += [[*row.line(known), word] for word in (*UNKNOWN, "surplus", "")]
    lines += [[word, *row.line(known)] for word in UNKNOWN]
    lines += [row.line(known)[::-1], [*row.line(known)[len(row.words) :], *row.words]]
    for option in ("--node", "--home", "--config"):
        lines += [
            [option, value, *row.line(known)] for value in (*WORDS, *ESCAPES, *PLACES, *BYTES) if value != "--help"
        ]
        lines += [[*row.line(known), option], [option]]
    return lines


def _with(row: Row, known: dict[str, str], parameter: Parameter, value: str) -> list[str]:
    return row.line(known, **{parameter.name: row.spell(parameter, known, value)})


def _twice(row: Row, known: dict[str, str], parameter: Parameter) -> list[str]:
    good = row.spell(parameter, known) or [parameter.flag]
    return row.line(known, **{parameter.name: [*good, *good]})


@st.composite
def any_line(draw: st.DrawFn, row: Row, known: dict[str, str]) -> list[str]:
    """A line of a command with any of its parameters odd, missing or doubled, in any order, with words too many."""
    parts = [list(row.words)]
    for parameter in row.parameters:
        how = draw(st.sampled_from(("good", "good", "odd", "odd", "missing", "twice", "glued")))
        odd = draw(values)
        if how == "odd":
            parts.append(row.spell(parameter, known, odd))
        elif how == "twice":
            parts += [row.spell(parameter, known), row.spell(parameter, known, odd)]
        elif how == "glued" and parameter.flag:
            parts.append([f"{parameter.flag}={odd}"])
        elif how != "missing":
            parts.append(row.spell(parameter, known))
    for option in draw(st.lists(st.sampled_from(("--node", "--home", "--config")), max_size=1)):
        parts.append([option, draw(values)])
    parts += [[word] for word in draw(st.lists(st.sampled_from(UNKNOWN) | values, max_size=1))]
    if draw(st.booleans()):
        parts = draw(st.permutations(parts))
    return [word for part in parts for word in part]
