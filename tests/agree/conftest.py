"""One start of a chain for the whole run."""

from pathlib import Path

import pytest

from tools.agree.embedded import Start, start_of


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("agree-compiled")
    directory.chmod(0o700)
    return directory


@pytest.fixture(scope="session")
def start(compiled: Path) -> Start:
    return start_of(compiled, "development")
