"""What script jobs leave to later ones: pip's wheels, and the environment of a warm pool."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from algorithms.script_mode.kept import POOL
from tests.algorithms.script import Script

USE = "import peculiar; print('word', peculiar.WORD, flush=True)\n"


def wheel(folder: Path) -> Path:
    """A package that no index has."""
    folder.mkdir(exist_ok=True)
    path = folder / "peculiar-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("peculiar.py", "WORD = 'mine'\n")
        made.writestr("peculiar-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: peculiar\nVersion: 1.0\n")
        made.writestr("peculiar-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("peculiar-1.0.dist-info/RECORD", "")
    return path


def test_the_next_job_of_a_warm_pool_installs_nothing(tmp_path):
    found = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel(tmp_path / "wheels").parent)}
    script = Script(tmp_path, "sklearn")
    (tmp_path / "ml" / POOL).mkdir(parents=True)
    script.write(USE, **{"requirements.txt": "peculiar==1.0\n"})
    first = script.run(**found)
    assert first.code == 0 and "Installing dependencies" in first.output, first.output
    (tmp_path / "wheels" / "peculiar-1.0-py3-none-any.whl").unlink()
    second = script.run(**found)
    assert second.code == 0 and "word mine" in second.output, second.output
    assert "Installing dependencies" not in second.output
    shutil.rmtree(tmp_path / "ml" / "code")  # of the last job
    script.write(USE, **{"requirements.txt": "peculiar==1.0\n# another file, another environment\n"})
    assert script.run(**found).code != 0


def test_without_a_pool_every_job_installs_for_itself(tmp_path):
    found = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel(tmp_path / "wheels").parent)}
    script = Script(tmp_path, "sklearn")
    script.write(USE, **{"requirements.txt": "peculiar==1.0\n"})
    for _ in range(2):
        ended = script.run(**found)
        assert ended.code == 0 and "Installing dependencies" in ended.output, ended.output
