"""Where a server's Unix socket lies: in its folder, or elsewhere when that path is too long."""

import os
import tempfile
from pathlib import Path

from farm import private

#: Linux allows 107 bytes; some room for what is put behind.
LONGEST = 100


def find(folder: Path) -> Path | None:
    """Return the socket of the server in `folder`, or None where none was ever made."""
    near = folder / "server.sock"
    if _fits(near):
        return near
    record = folder / "socket"
    return Path(record.read_text()) if record.exists() else None


def make(folder: Path) -> Path:
    """Return a path that a server in `folder` can bind; a far one is recorded there."""
    found = find(folder)
    if found and (found.parent == folder or private.is_ours(found.parent)):
        return found
    far = Path(tempfile.mkdtemp(prefix="farm-", dir=_runtime())) / "server.sock"
    private.write(folder / "socket", str(far))
    return far


def remove(folder: Path) -> None:
    """Remove what lies outside `folder`; the server must have stopped."""
    found = find(folder)
    if found is None or found.parent == folder or not private.is_ours(found.parent):
        return
    found.unlink(missing_ok=True)
    found.parent.rmdir()
    (folder / "socket").unlink(missing_ok=True)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST


def _runtime() -> Path:
    """Return the first short folder of the user's own, else the one for temporary files."""
    own = (Path(os.environ.get("XDG_RUNTIME_DIR", "")), Path(f"/run/user/{os.geteuid()}"))
    for path in own:
        if path.is_absolute() and private.is_ours(path) and len(os.fsencode(path)) < LONGEST - 30:
            return path
    return Path(tempfile.gettempdir())
