"""PNG beside other work: a helper process draws while the report is still being worked out.

Drawing holds the interpreter's lock, so threads would not help. Scenes go to the helper, what comes back are files in a
temporary folder; nothing else is shared. Without a second core, or if the helper fails, the pictures are drawn here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from stilts.report.drawing.png import png
from stilts.report.drawing.scene import Scene


class PngWorker:
    """Draws pictures from ``draw`` on, and gives them at ``finish``. Starts at once, as a context manager."""

    def __init__(self, *, alone: bool = False) -> None:
        self._bands: dict[str, Sequence[Scene]] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="stilts_png_")
        self._process: subprocess.Popen[bytes] | None = None
        if not alone and sys.executable and (os.cpu_count() or 1) > 1:
            command = [sys.executable, "-m", __name__, self._folder.name]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self) -> PngWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

    def draw(self, name: str, bands: Sequence[Scene]) -> None:
        """Hands over a picture; its name is that of a file without a suffix, given once."""
        self._bands[name] = bands
        if self._process is not None and self._process.stdin is not None:
            try:
                pickle.dump((name, list(bands)), self._process.stdin)
                self._process.stdin.flush()
            except OSError:  # The helper is gone: ``finish`` draws what it did not.
                self._process.kill()

    def finish(self) -> dict[str, bytes]:
        """All pictures as PNG, by name; waits for those that are still being drawn."""
        if self._process is not None:
            self._process.communicate()
        return {name: self._drawn(name) for name in self._bands}

    def _drawn(self, name: str) -> bytes:
        path = Path(self._folder.name, f"{name}.png")
        return path.read_bytes() if path.is_file() else png(self._bands[name])


def serve(folder: Path) -> None:
    """Draws what comes on standard input, until it ends; a file appears only once it is whole."""
    import matplotlib.backends.backend_agg
    import matplotlib.font_manager  # noqa: F401  (both are slow to load, and are needed by the first picture)

    while True:
        try:
            name, bands = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        part = folder / f"{name}.part"
        part.write_bytes(png(bands))
        part.rename(folder / f"{name}.png")


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
